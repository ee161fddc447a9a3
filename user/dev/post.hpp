// SPDX-License-Identifier: GPL-2.0
// The port where a PC's firmware shows how far it has come (power-on self test). Many a guest also
// writes there just to let a microsecond pass.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "bus/device.hpp"

namespace vmctl {

class PostCode final : public Device {
 public:
  static constexpr std::uint64_t kSize = 1;

  // Called with each code, from whatever thread the guest writes in; may be empty.
  explicit PostCode(std::function<void(std::uint8_t)> on_code) : on_code_(std::move(on_code)) {}

  // The last code.
  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  std::function<void(std::uint8_t)> on_code_;
  std::atomic<std::uint8_t> last_ = 0;
};

}  // namespace vmctl
