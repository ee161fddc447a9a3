// SPDX-License-Identifier: GPL-2.0
// A virtio entropy device (virtio 1.2, 5.4), out of the host's getrandom(2).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "dev/virtio/device.hpp"

namespace vmctl {

class VirtioRng final : public VirtioDevice {
 public:
  // Of one request: what the driver gets is as much as is said in the used ring (5.4.6.1).
  static constexpr std::uint64_t kAtOnce = 4096;

  std::uint16_t type() const override { return 4; }
  std::uint32_t pci_class() const override { return 0x00ff00; }
  std::string_view name() const override { return "virtio entropy"; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queue_sizes() const override { return {64}; }
  Result<> serve(unsigned index) override;

 private:
  Chain chain_;
};

}  // namespace vmctl
