// SPDX-License-Identifier: GPL-2.0
// The debug-exit port: what a guest writes here ends the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "bus/device.hpp"

namespace vmctl {

// Who turns a written value into an exit status.
enum class DebugExitStyle {
  vmctl,  // the value itself, 63 at most
  qemu,   // (value << 1) | 1, as QEMU's isa-debug-exit does: never 0
};

struct DebugExitStatus {
  int status;
  bool clamped;  // the value did not fit
};

DebugExitStatus debug_exit_status(DebugExitStyle style, std::uint32_t value);

class DebugExit final : public Device {
 public:
  static constexpr std::uint64_t kSize = 4;

  explicit DebugExit(std::function<void(std::uint32_t)> on_exit) : on_exit_(std::move(on_exit)) {}

  void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
  void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

 private:
  std::function<void(std::uint32_t)> on_exit_;
};

}  // namespace vmctl
