// SPDX-License-Identifier: GPL-2.0
// A file system of the host's (virtio 1.2, 5.11), known to the guest by a tag: it carries FUSE
// requests to a server. One request queue beside that of high priority, no DAX window.
#pragma once

#include <array>
#include <memory>
#include <string_view>
#include <vector>

#include "dev/virtio/device.hpp"
#include "share/server.hpp"

namespace vmctl {

class VirtioFs final : public VirtioDevice {
 public:
  static constexpr unsigned kHighPriority = 0;  // 5.11.2
  static constexpr unsigned kRequests = 1;
  static constexpr std::size_t kTagMax = 36;  // 5.11.4
  // Linux asks for no more data than a chain of this many descriptors holds, in pages.
  static constexpr std::uint16_t kQueueSize = 512;

  // At most kTagMax bytes of the tag count.
  VirtioFs(FuseServer& server, std::string_view tag);

  std::uint16_t type() const override { return 26; }
  std::uint32_t pci_class() const override { return 0x018000; }
  std::string_view name() const override { return "virtio-fs"; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queue_sizes() const override { return {kQueueSize, kQueueSize}; }
  std::uint32_t config_size() const override { return static_cast<std::uint32_t>(config_.size()); }
  void read_config(std::uint64_t offset, std::span<std::uint8_t> data) const override {
    copy_config(config_, offset, data);
  }
  void stop() override { server_.restart(); }
  Result<> serve(unsigned index) override;

 private:
  std::uint32_t handle(const Chain& chain);

  FuseServer& server_;
  std::array<std::uint8_t, kTagMax + 4> config_{};  // tag, num_request_queues (5.11.4)
  Chain chain_;
  std::vector<std::uint8_t> request_;  // the copy that is looked at
};

}  // namespace vmctl
