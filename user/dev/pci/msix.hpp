// SPDX-License-Identifier: GPL-2.0
// MSI-X (PCI Local Bus 3.0, 6.8.2): a table of messages and the pending bits, one BAR; message
// control is in the capability. While a vector is masked, or all are, what it should send is
// pending, and sent once when that ends (6.8.3.4).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "bus/device.hpp"
#include "bus/msi.hpp"

namespace vmctl {

class Msix final : public Device {
 public:
  static constexpr std::uint32_t kSize = 4096;
  static constexpr std::uint32_t kPending = 2048;  // where the pending bits are
  static constexpr std::size_t kVectorsMax = 128;
  static constexpr std::uint8_t kCapability = 0x11;
  static constexpr std::uint16_t kEnable = 1U << 15;  // of message control (6.8.2.3)
  static constexpr std::uint16_t kMaskAll = 1U << 14;

  // Up to kVectorsMax.
  explicit Msix(std::vector<std::unique_ptr<MsiVector>> vectors);

  std::size_t size() const { return entries_.size(); }
  // The capability behind its ID and pointer, and what of it may be written.
  static constexpr std::size_t kBodySize = 10;
  std::array<std::uint8_t, kBodySize> body(std::uint8_t bar) const;
  static std::array<std::uint8_t, kBodySize> writable();

  void set_control(std::uint16_t control);
  bool enabled() const;
  // Nothing for a vector that is none (as NO_VECTOR). From any thread.
  void raise(std::size_t vector);

  // Words of four bytes; other writes are lost.
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  struct Entry {
    std::unique_ptr<MsiVector> vector;
    std::array<std::uint32_t, 4> words{0, 0, 0, 1};  // address, its upper half, data, control
    bool pending = false;
    std::optional<MsiMessage> routed;
  };
  // Sends what is pending if it may; with the lock held.
  void settle(Entry& entry) const;
  std::uint8_t byte_at(std::uint64_t offset) const;

  mutable std::mutex lock_;  // guards all below
  std::vector<Entry> entries_;
  std::uint16_t control_ = 0;
};

}  // namespace vmctl
