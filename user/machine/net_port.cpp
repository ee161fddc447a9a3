// SPDX-License-Identifier: GPL-2.0
#include "machine/net_port.hpp"

#include "dev/virtio/net.hpp"
#include "net/backend.hpp"

namespace vmctl {
namespace {

class NetPort final : public VirtioPort {
 public:
  NetPort(std::unique_ptr<NetBackend> backend, const MacAddress& mac)
      : net_(std::move(backend), mac) {}
  VirtioDevice& device() override { return net_; }
  void stop() override { net_.disconnect(); }

 private:
  VirtioNet net_;
};

}  // namespace

Result<std::unique_ptr<VirtioPort>> open_net(const NetSpec& spec) {
  auto backend = TRY(NetBackend::open(spec));
  return std::unique_ptr<VirtioPort>(std::make_unique<NetPort>(std::move(backend), spec.mac));
}

}  // namespace vmctl
