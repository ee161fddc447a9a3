// SPDX-License-Identifier: GPL-2.0
// A network card (virtio 1.2, 5.1) with one pair of queues. Checksums and segmentation are not
// offloaded, so that every frame is whole and right on either side; a frame may be spread over
// several of the driver's buffers (VIRTIO_NET_F_MRG_RXBUF).
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "dev/virtio/device.hpp"
#include "net/backend.hpp"

namespace vmctl {

class VirtioNet final : public VirtioDevice {
 public:
  static constexpr unsigned kReceive = 0;  // 5.1.2
  static constexpr unsigned kTransmit = 1;
  static constexpr std::uint16_t kQueueSize = 256;

  VirtioNet(std::unique_ptr<NetBackend> backend, const MacAddress& mac);
  ~VirtioNet() override;

  // The back end's thread does not use the transport when this returns, or ever after.
  void disconnect() { backend_->stop(); }

  std::uint16_t type() const override { return 1; }
  std::uint32_t pci_class() const override { return 0x020000; }
  std::string_view name() const override { return "virtio-net"; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queue_sizes() const override { return {kQueueSize, kQueueSize}; }
  std::uint32_t config_size() const override { return static_cast<std::uint32_t>(config_.size()); }
  void read_config(std::uint64_t offset, std::span<std::uint8_t> data) const override {
    copy_config(config_, offset, data);
  }
  void start() override;
  void stop() override;
  Result<> serve(unsigned index) override;

 private:
  static constexpr std::size_t kHeader = 12;  // struct virtio_net_hdr, with num_buffers (5.1.6)

  // On the back end's thread: false if the driver has no buffers for what there is.
  bool arrived();
  // Gives the driver what has come; false as above.
  Result<bool> deliver();
  // Holds on to so many buffers that `size` bytes find room; or there are not enough yet, or there
  // never will be.
  enum class Room : std::uint8_t { enough, not_yet, never };
  Result<Room> hold(Virtqueue& queue, std::size_t size);
  void fill(Virtqueue& queue, std::span<const std::uint8_t> frame);
  Result<std::uint32_t> transmit(const Chain& chain);

  std::unique_ptr<NetBackend> backend_;
  std::array<std::uint8_t, 8> config_{};  // mac, status (5.1.4)
  bool backend_started_ = false;

  // While there is a driver, by the transport's rules:
  Chain transmitted_;
  std::vector<std::uint8_t> outgoing_;  // the copy of a frame from the guest
  std::vector<std::uint8_t> incoming_;  // one that has come, behind its header
  std::size_t incoming_size_ = 0;       // of it, without header; 0: none waits for buffers
  std::vector<Chain> held_;             // the driver's buffers for it
  std::size_t held_count_ = 0;          // of these that are in use: storage is used again
};

}  // namespace vmctl
