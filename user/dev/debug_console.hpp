// SPDX-License-Identifier: GPL-2.0
// The debug console of Bochs and QEMU: a port that prints what is written to it, and reads as its
// own number, by which a guest finds it.
#pragma once

#include <cstdint>
#include <span>

#include "bus/device.hpp"
#include "dev/sink.hpp"

namespace vmctl {

class DebugConsole final : public Device {
 public:
  static constexpr std::uint64_t kSize = 1;
  static constexpr std::uint8_t kPresent = 0xe9;

  // The sink is called from whatever thread the guest writes in.
  explicit DebugConsole(Sink& sink) : sink_(sink) {}

  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;
  void write_string(std::uint64_t offset, std::size_t width,
                    std::span<const std::uint8_t> data) override;

 private:
  Sink& sink_;
};

}  // namespace vmctl
