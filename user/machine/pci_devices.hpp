// SPDX-License-Identifier: GPL-2.0
// The machine's PCI bus and what is on it. A machine that asks for none of it has none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "bus/bus.hpp"
#include "console/channel.hpp"
#include "dev/config_address.hpp"
#include "dev/pci/bus.hpp"
#include "dev/pci/host_bridge.hpp"
#include "machine/console_port.hpp"
#include "machine/disk.hpp"
#include "machine/interrupts.hpp"
#include "machine/net_port.hpp"
#include "machine/share.hpp"
#include "machine/shared_line.hpp"
#include "machine/virtio_slot.hpp"

namespace vmctl {

struct PciDevicesConfig {
  bool always = false;  // there is a bus also without a device that was asked for
  std::vector<DiskSpec> disks;
  std::optional<ChannelSpec> console;
  std::optional<NetSpec> net;
  std::vector<ShareSpec> shares;

  bool wanted() const { return always || !disks.empty() || console || net || !shares.empty(); }
};

class PciDevices {
 public:
  struct Surroundings {
    const Vm& vm;
    const GuestMemory& memory;
    Interrupts& interrupts;
    const ConfigAddress& address;
    Ending& ending;
    bool messages;  // KVM delivers them (KVM_CAP_IRQFD, KVM_CAP_IRQ_ROUTING, an irqchip)
  };
  // All that is referred to must outlive it. An entropy device is always on the bus.
  static Result<std::unique_ptr<PciDevices>> build(const PciDevicesConfig& config,
                                                   const Surroundings& surroundings);
  Result<> place(Bus& ports, Bus& mmio);
  // Into the next slot. Before the first access.
  Result<> add(const MakeVirtioPort& make);
  // When nothing else can fail.
  Result<> begin();

  // None if it was not asked for.
  ConsolePort* console() { return console_; }

  // Whether a device may yet raise an interrupt that the 8259As let through.
  bool may_interrupt() const;
  // Whether the guest has said anything on its console.
  bool spoken() const { return console_ != nullptr && console_->channel().spoken(); }
  // Around a run, as Devices has them. kick() brings the devices' threads out of a write that
  // waits, stop() ends them.
  void start(MachineControl& machine);
  void kick();
  std::string stop(std::string_view end);

 private:
  explicit PciDevices(const Surroundings& surroundings);
  std::unique_ptr<InterruptLine> line(unsigned slot);

  const Surroundings surroundings_;
  MachineClock clock_;
  std::optional<MsiRoutes> msi_;
  std::vector<std::unique_ptr<SharedLine>> lines_;  // by line of Interrupts, where there is one
  HostBridge bridge_;
  PciBus bus_;
  std::vector<std::unique_ptr<VirtioSlot>> slots_;
  ConsolePort* console_ = nullptr;
};

}  // namespace vmctl
