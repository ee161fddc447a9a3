// SPDX-License-Identifier: GPL-2.0
// PCI bus 0: a function in each slot (PCI Local Bus 3.0). The guest reaches configuration spaces by
// mechanism #1 (3.2.2.3.2), and BARs through one window of memory-mapped I/O, in which it may move
// them at any time. Where a guest lays one BAR over another, the lower slot's answers.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <shared_mutex>
#include <span>

#include "base/result.hpp"
#include "bus/device.hpp"
#include "dev/config_address.hpp"
#include "dev/pci/function.hpp"

namespace vmctl {

class PciBus {
 public:
  static constexpr unsigned kSlots = 32;
  static constexpr std::uint64_t kDataSize = 4;

  // The window: an address below 4 GiB, and a size that does not go past them. `address` is what
  // the guest selects with, and must outlive it.
  PciBus(const ConfigAddress& address, std::uint32_t window, std::uint32_t size);

  // Puts a function, which must outlive the bus, into the next slot, and its BARs where there is
  // room in the window, as firmware does. Before the first access.
  Result<> add(PciFunction& function);
  // Which slot the next add() takes.
  unsigned next_slot() const { return count_; }

  // CONFIG_DATA, ports 0xcfc to 0xcff, and the window.
  Device& data() { return data_; }
  Device& window() { return window_device_; }

 private:
  class Data final : public Device {
   public:
    explicit Data(PciBus& bus) : bus_(bus) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

   private:
    PciBus& bus_;
  };
  class Window final : public Device {
   public:
    explicit Window(PciBus& bus) : bus_(bus) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

   private:
    PciBus& bus_;
  };
  struct Place {
    Device* device = nullptr;
    std::uint64_t offset = 0;
  };

  // Whom the address register selects, with the lock held; and the register within.
  PciFunction* selected(std::size_t& offset) const;
  // Which BAR holds these bytes of the window.
  Place find(std::uint64_t offset, std::size_t size) const;

  const ConfigAddress& address_;
  std::uint32_t base_;
  std::uint32_t size_;
  std::uint64_t free_ = 0;  // in the window, from here on
  unsigned count_ = 0;
  std::array<PciFunction*, kSlots> slots_{};
  // For reading held by who looks for a BAR, for writing by who is in a configuration space.
  mutable std::shared_mutex lock_;
  Data data_{*this};
  Window window_device_{*this};
};

}  // namespace vmctl
