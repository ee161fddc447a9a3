// SPDX-License-Identifier: GPL-2.0
// Virtio over PCI (virtio 1.2, 4.1), modern alone: BAR 0 has the registers, BAR 1 the MSI-X table.
// Without MSI-X vectors, or while they are off, interrupts go through INTx and the ISR status.
//
// Locks, in the order in which they are taken: the bus's; running_, which whatever the device does
// holds; registers_lock_. The status register waits for running_: a reset is done when it is
// written. A vCPU that touches anything else waits for no device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "bus/device.hpp"
#include "bus/doorbell.hpp"
#include "bus/line.hpp"
#include "bus/memory.hpp"
#include "bus/msi.hpp"
#include "dev/pci/function.hpp"
#include "dev/pci/msix.hpp"
#include "dev/virtio/device.hpp"
#include "dev/virtio/registers.hpp"

namespace vmctl {

class VirtioPci final : public PciFunction, public VirtioTransport, private Device {
 public:
  struct Wires {
    InterruptLine& intx;                               // outlives it
    std::uint8_t irq;                                  // what the interrupt line register says
    std::vector<std::unique_ptr<Doorbell>> doorbells;  // one for each queue
    // One for each queue and one for changes of the configuration, or none: then there is no
    // MSI-X.
    std::vector<std::unique_ptr<MsiVector>> vectors;
    // Told when the driver has broken a rule; on the thread where that showed, with locks held.
    std::function<void(const Error&)> on_broken;
  };
  // `device` and `memory` must outlive it.
  VirtioPci(VirtioDevice& device, const GuestMemory& memory, Wires wires);

  // On the device's thread: this queue's doorbell has rung.
  void serve(unsigned index);

  void read_config(std::size_t offset, std::span<std::uint8_t> data) override;
  void write_config(std::size_t offset, std::span<const std::uint8_t> data) override;
  void config_changed() override;

  std::uint64_t features() const override { return features_; }
  Virtqueue* queue(unsigned index) override;
  void interrupt(unsigned index) override;
  void again(unsigned index) override { wires_.doorbells[index]->ring(); }
  bool with_queues(const std::function<Result<>()>& act) override;
  void update_config(const std::function<void()>& act) override;

 private:
  void add_capabilities();
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;
  // The access that the PCI configuration access capability stands for (4.1.4.9): where, or none.
  struct Access {
    Device* device;
    std::uint64_t offset;
    std::size_t length;
  };
  std::optional<Access> selected_access();
  bool touches_access_data(std::size_t offset, std::size_t size) const;

  // With running_ held.
  void write_status(std::span<const std::uint8_t> data);
  void start();
  void stop();
  void broken(const Error& error);

  // With registers_lock_ held.
  void raise(std::uint16_t vector, std::uint8_t isr);
  void set_line();

  VirtioDevice& device_;
  const GuestMemory& memory_;
  Wires wires_;
  std::uint8_t msix_at_ = 0;  // capabilities
  std::uint8_t access_at_ = 0;

  std::mutex running_;
  bool live_ = false;  // guarded by running_, like the next two
  std::vector<std::optional<Virtqueue>> queues_;
  std::uint64_t features_ = 0;

  mutable std::mutex registers_lock_;
  VirtioRegisters registers_;  // guarded by registers_lock_, like all below
  std::uint8_t isr_ = 0;
  bool intx_disabled_ = false;
  bool line_ = false;
  Msix msix_;  // locks itself
};

}  // namespace vmctl
