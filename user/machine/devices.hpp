// SPDX-License-Identifier: GPL-2.0
// The machine's devices, wired together and put on its ports.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "bus/bus.hpp"
#include "console/channel.hpp"
#include "console/console.hpp"
#include "dev/acpi_pm.hpp"
#include "dev/config_address.hpp"
#include "dev/debug_console.hpp"
#include "dev/debug_exit.hpp"
#include "dev/pm_timer.hpp"
#include "dev/post.hpp"
#include "dev/reset.hpp"
#include "dev/rtc.hpp"
#include "machine/interrupts.hpp"
#include "machine/outside.hpp"
#include "machine/serial_port.hpp"
#include "run/ending.hpp"
#include "run/event_loop.hpp"

namespace vmctl {

struct DevicesConfig {
  ChannelSpec com1{.kind = ChannelSpec::Kind::stdio};
  ChannelSpec com2;  // without one there is no second UART
  Irqchip irqchip = Irqchip::none;
  DebugExitStyle debug_exit = DebugExitStyle::vmctl;
  // What the real-time clock shows at first; nothing: what the host's shows, in UTC.
  std::optional<std::chrono::sys_seconds> rtc;
};

class Devices {
 public:
  struct Memory {
    std::uint64_t below_4g;
    std::uint64_t above_4g;
  };
  // All that it is given must outlive it, the loop stopped. Opens what is outside.
  static Result<std::unique_ptr<Devices>> build(const DevicesConfig& config, Memory memory,
                                                const Vm& vm, Outside& outside,
                                                const std::optional<FileId>& image);
  Result<> place(Bus& ports);

  Interrupts& interrupts() { return interrupts_; }
  // What selects a PCI function.
  const ConfigAddress& config_address() const { return config_address_; }
  SerialPort& com1() { return com1_; }
  std::optional<SerialPort>& com2() { return com2_; }

  // The power button; false if the guest does not listen to it.
  bool press_power_button();

  // The far end of the first serial port, which people attach to.
  Console& console() { return outside_.com1(); }
  // Whether the guest has said anything on any of them.
  bool spoken() const {
    return outside_.com1().spoken() || (outside_.com2() != nullptr && outside_.com2()->spoken());
  }

  // Whether any device may yet raise an interrupt that the 8259As let through.
  bool may_interrupt();
  // Brings the thread of input and timers out of a write that waits.
  void kick() { outside_.loop().kick(); }

  // The last code that the guest wrote to the POST port.
  std::optional<std::uint8_t> post_code() const;

 private:
  Devices(const DevicesConfig& config, Memory memory, const Vm& vm, Outside& outside);

  Outside& outside_;
  Interrupts interrupts_;
  SerialPort com1_;
  std::optional<SerialPort> com2_;
  std::unique_ptr<Timer> rtc_timer_;
  Rtc rtc_;
  I8042 i8042_;
  SystemControlA system_control_;
  ResetControl reset_control_;
  ConfigAddress config_address_;
  DebugConsole debug_console_;
  DebugExit debug_exit_;
  PostCode post_;
  PmTimer pm_timer_;
  AcpiPm acpi_pm_;
  std::atomic<int> post_code_ = -1;
};

}  // namespace vmctl
