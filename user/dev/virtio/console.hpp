// SPDX-License-Identifier: GPL-2.0
// A virtio console of one port (virtio 1.2, 5.3), with the size of the terminal at its other end.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "dev/sink.hpp"
#include "dev/virtio/device.hpp"

namespace vmctl {

class VirtioConsole final : public VirtioDevice {
 public:
  // The sink, which must outlive it, is called on the device's thread.
  explicit VirtioConsole(Sink& sink) : sink_(sink) {}

  std::uint16_t type() const override { return 3; }
  std::uint32_t pci_class() const override { return 0x078000; }
  std::string_view name() const override { return "virtio console"; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override { return {kQueueSize, kQueueSize}; }
  std::uint32_t config_size() const override { return kConfigSize; }
  void read_config(std::uint64_t offset, std::span<std::uint8_t> data) const override;
  Result<> serve(unsigned index) override;

  // On the device's thread: gives the driver as many as it has room for, and says how many; the
  // rest stays the caller's until on_room().
  std::size_t receive(std::span<const std::uint8_t> bytes);
  // Called when the driver has made room, on the device's thread, in which receive() may not be
  // called. To be set before any thread runs.
  void on_room(std::function<void()> handler) { on_room_ = std::move(handler); }

  // Of the terminal; 0: not known. From any thread, once it has a transport.
  void resize(std::uint16_t columns, std::uint16_t rows);

 private:
  static constexpr std::uint16_t kQueueSize = 64;
  static constexpr std::uint32_t kConfigSize = 12;

  Sink& sink_;
  std::function<void()> on_room_;
  std::uint16_t columns_ = 0;  // written by update_config() alone, like the next
  std::uint16_t rows_ = 0;
  Chain received_;
  Chain sent_;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace vmctl
