// SPDX-License-Identifier: GPL-2.0
#include "machine/devices.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "machine/layout.hpp"

namespace vmctl {
namespace {

void end_by_debug_exit(Ending& ending, DebugExitStyle style, std::uint32_t value) {
  const auto [status, clamped] = debug_exit_status(style, value);
  ending.end({.kind = EndKind::debug_exit,
              .status = status,
              .reason = clamped
                            ? fmt::format("the guest ended with {} on the debug-exit port, more "
                                          "than a status holds: {} stands for it",
                                          value, status)
                            : fmt::format("the guest ended with {} on the debug-exit port", value),
              .details = ""});
}

std::function<void()> reset_by(Ending& ending, std::string_view who) {
  return [&ending, who] {
    ending.end({.kind = EndKind::reset,
                .status = 0,
                .reason = fmt::format("the guest asked for a reset through the {}", who),
                .details = ""});
  };
}

void power_off(Ending& ending) {
  ending.end({.kind = EndKind::power_off,
              .status = 0,
              .reason = "the guest switched itself off",
              .details = ""});
}

RtcConfig rtc_config(const DevicesConfig& config, Devices::Memory memory, const Outside& outside) {
  return {.start = config.rtc.value_or(outside.started()),
          .memory_below_4g = memory.below_4g,
          .memory_above_4g = memory.above_4g};
}

}  // namespace

Devices::Devices(const DevicesConfig& config, Memory memory, const Vm& vm, Outside& outside)
    : outside_(outside),
      interrupts_(config.irqchip, vm),
      com1_(outside.com1(), interrupts_.line(layout::kCom1Irq), outside.loop(),
            [this] { interrupts_.notify(); }),
      rtc_timer_(outside.loop().timer([this] { rtc_.on_timer(); })),
      rtc_(outside.clock(), *rtc_timer_, interrupts_.line(layout::kRtcIrq),
           rtc_config(config, memory, outside)),
      i8042_(reset_by(outside.ending(), "keyboard controller (0x64)")),
      system_control_(reset_by(outside.ending(), "system control port A (0x92)")),
      reset_control_(reset_by(outside.ending(), "reset control register (0xcf9)")),
      config_address_(reset_control_),
      debug_console_(com1_.channel()),
      debug_exit_([&ending = outside.ending(), style = config.debug_exit](std::uint32_t value) {
        end_by_debug_exit(ending, style, value);
      }),
      post_([this](std::uint8_t code) { post_code_ = code; }),
      pm_timer_(outside.clock()),
      acpi_pm_(interrupts_.line(layout::kSciIrq),
               [&ending = outside.ending()] { power_off(ending); }) {
  if (outside.com2() != nullptr)
    com2_.emplace(*outside.com2(), interrupts_.line(layout::kCom2Irq), outside.loop(),
                  [this] { interrupts_.notify(); });
}

Result<std::unique_ptr<Devices>> Devices::build(const DevicesConfig& config, Memory memory,
                                                const Vm& vm, Outside& outside,
                                                const std::optional<FileId>& image) {
  TRY(outside.open(config.com1, config.com2, image));
  return std::unique_ptr<Devices>(new Devices(config, memory, vm, outside));
}

Result<> Devices::place(Bus& ports) {
  using namespace layout;
  const auto claim = [&](const Range& range, Device& device, Widths widths = kBytes) {
    return ports.claim(range.base, range.size, std::string(range.name), device, widths);
  };
  if (Pic* pic = interrupts_.pic(); pic != nullptr) {
    TRY(claim(kPicMaster, pic->master()));
    TRY(claim(kPicSlave, pic->slave()));
    TRY(claim(kElcr, pic->elcr()));
  }
  TRY(claim(kI8042Data, i8042_.data()));
  TRY(claim(kI8042Command, i8042_.command()));
  TRY(claim(kRtc, rtc_));
  TRY(claim(kPost, post_));
  TRY(claim(kSystemControlA, system_control_));
  TRY(claim(kDebugConsole, debug_console_));
  TRY(claim(kDebugExit, debug_exit_, kUpToDwords));
  TRY(claim(kCom1, com1_.uart()));
  if (com2_) TRY(claim(kCom2, com2_->uart()));
  TRY(claim(kPm1Event, acpi_pm_.events(), kUpToDwords));
  TRY(claim(kPm1Control, acpi_pm_.control(), kUpToDwords));
  TRY(claim(kPmTimer, pm_timer_, kUpToDwords));
  TRY(claim(kConfigAddress, config_address_, kUpToDwords));
  return {};
}

bool Devices::may_interrupt() {
  const Pic* pic = interrupts_.pic();
  if (pic == nullptr) return true;  // KVM knows
  return (pic->listens(layout::kCom1Irq) && com1_.may_interrupt()) ||
         (com2_ && pic->listens(layout::kCom2Irq) && com2_->may_interrupt()) ||
         (pic->listens(layout::kRtcIrq) && rtc_.may_interrupt()) ||
         (pic->listens(layout::kSciIrq) && acpi_pm_.power_button_enabled());
}

bool Devices::press_power_button() {
  acpi_pm_.press_power_button();
  return acpi_pm_.power_button_enabled();
}

std::optional<std::uint8_t> Devices::post_code() const {
  const int code = post_code_;
  return code < 0 ? std::nullopt : std::optional(static_cast<std::uint8_t>(code));
}

}  // namespace vmctl
