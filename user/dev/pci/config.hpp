// SPDX-License-Identifier: GPL-2.0
// The configuration space of a function: a header of type 0 (PCI Local Bus 3.0, 6.1), memory BARs
// of 32 bits (6.2.5.1) and capabilities (6.7). Each byte has a mask of the bits that the guest may
// write, and nothing else has a rule: BARs are sized by what their masks leave.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace vmctl {

struct PciIdentity {
  std::uint16_t vendor = 0;
  std::uint16_t device = 0;
  std::uint32_t class_code = 0;  // class, subclass, interface
  std::uint8_t revision = 0;
  std::uint16_t subsystem_vendor = 0;
  std::uint16_t subsystem = 0;
};

class PciConfig {
 public:
  static constexpr std::size_t kSize = 256;
  static constexpr unsigned kBars = 6;

  explicit PciConfig(const PciIdentity& identity);

  // How it is built. `size`: a power of two, at least 16.
  void add_bar(unsigned index, std::uint32_t size);
  // A capability behind those that are there: its bytes behind ID and pointer, and which of their
  // bits may be written. Says where it is.
  std::uint8_t add_capability(std::uint8_t id, std::span<const std::uint8_t> body,
                              std::span<const std::uint8_t> writable);
  // Pin A; `line` is what firmware would tell (6.2.4).
  void set_interrupt(std::uint8_t line);
  // Where firmware would put a BAR, and that it decodes memory.
  void place_bar(unsigned index, std::uint32_t address);
  void enable_memory();

  // Within the space: offset + size is at most kSize.
  void read(std::size_t offset, std::span<std::uint8_t> data) const;
  void write(std::size_t offset, std::span<const std::uint8_t> data);
  std::uint16_t word(std::size_t offset) const;

  // 0: there is no such BAR.
  std::uint32_t bar_size(unsigned index) const { return bar_sizes_[index]; }
  // Where it decodes; nothing while memory space is off (6.2.2).
  std::optional<std::uint32_t> bar_address(unsigned index) const;
  // INTx is not to be raised (6.2.2).
  bool intx_disabled() const;

 private:
  void put(std::size_t offset, std::uint32_t value, std::size_t size);
  void allow(std::size_t offset, std::uint32_t mask, std::size_t size);

  std::array<std::uint8_t, kSize> bytes_{};
  std::array<std::uint8_t, kSize> writable_{};
  std::array<std::uint32_t, kBars> bar_sizes_{};
  std::size_t last_pointer_;  // where the next capability's offset goes
  std::size_t next_capability_;
};

}  // namespace vmctl
