// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/net.hpp"

#include <algorithm>

namespace vmctl {
namespace {

constexpr std::uint64_t kMac = 1ULL << 5;  // feature bits (5.1.3)
constexpr std::uint64_t kMergeBuffers = 1ULL << 15;
constexpr std::uint64_t kStatus = 1ULL << 16;
constexpr std::uint8_t kLinkUp = 1;  // 5.1.4.2
constexpr std::size_t kNumBuffers = 10;
// What a frame has at the least, and all that a device looks at of it.
constexpr std::size_t kFrameMin = 14;

}  // namespace

VirtioNet::VirtioNet(std::unique_ptr<NetBackend> backend, const MacAddress& mac)
    : backend_(std::move(backend)) {
  std::copy(mac.begin(), mac.end(), config_.begin());
  config_[mac.size()] = kLinkUp;
}

VirtioNet::~VirtioNet() {
  backend_->stop();
}

std::uint64_t VirtioNet::features() const {
  return kMac | kMergeBuffers | kStatus;
}

void VirtioNet::start() {
  outgoing_.resize(NetBackend::kFrameMax);
  incoming_.resize(kHeader + NetBackend::kFrameMax);
  // It goes on through resets, as a cable does: what comes meanwhile is lost.
  if (!backend_started_) backend_->start([this] { return arrived(); });
  backend_started_ = true;
}

void VirtioNet::stop() {
  incoming_size_ = 0;
  held_count_ = 0;
  // What it waits with is of no use to anybody any more.
  backend_->resume();
}

Result<> VirtioNet::serve(unsigned index) {
  if (index == kTransmit)
    return serve_each(index, transmitted_, [this](const Chain& chain) { return transmit(chain); });
  // There are new buffers.
  if (TRY(deliver())) backend_->resume();
  return {};
}

Result<std::uint32_t> VirtioNet::transmit(const Chain& chain) {
  // The header says nothing, as no feature gives its fields a meaning (5.1.6.2). What is too long
  // for a frame, or too short, is sent nowhere.
  const std::uint64_t size = chain.readable.size();
  if (size >= kHeader + kFrameMin && size - kHeader <= outgoing_.size()) {
    const auto frame = std::span(outgoing_).first(static_cast<std::size_t>(size - kHeader));
    chain.readable.read(kHeader, frame);
    backend_->send(frame);
  }
  return 0;
}

bool VirtioNet::arrived() {
  bool taken = true;
  const bool driver = transport().with_queues([&]() -> Result<> {
    taken = TRY(deliver());
    return {};
  });
  if (driver) return taken;
  std::array<std::uint8_t, 1> nowhere{};
  while (backend_->receive(nowhere) > 0) {
  }
  return true;
}

Result<bool> VirtioNet::deliver() {
  Virtqueue* queue = transport().queue(kReceive);
  if (queue == nullptr) return false;
  queue->mute();
  for (std::uint32_t left = queue->size();;) {
    if (incoming_size_ == 0)
      incoming_size_ = backend_->receive(std::span(incoming_).subspan(kHeader));
    if (incoming_size_ == 0) return true;
    const Room room = TRY(hold(*queue, kHeader + incoming_size_));
    if (room == Room::not_yet) {
      if (!queue->listen()) return false;
      queue->mute();
      continue;
    }
    if (room == Room::enough) {
      fill(*queue, std::span(incoming_).first(kHeader + incoming_size_));
      transport().interrupt(kReceive);
    }
    incoming_size_ = 0;
    // Others get their turn.
    if (--left == 0) {
      transport().again(kReceive);
      return true;
    }
  }
}

Result<VirtioNet::Room> VirtioNet::hold(Virtqueue& queue, std::size_t size) {
  std::uint64_t room = 0;
  for (std::size_t i = 0; i < held_count_; ++i) room += held_[i].writable.size();
  // No more than the queue has, and one where they are not merged.
  const bool merge = (transport().features() & kMergeBuffers) != 0;
  const std::size_t most = merge ? queue.size() : 1;
  while (room < size) {
    // Those that are held stay for a shorter frame.
    if (held_count_ == most) return Room::never;
    if (held_.size() == held_count_) held_.emplace_back();
    if (!TRY(queue.pop(held_[held_count_]))) return Room::not_yet;
    room += held_[held_count_++].writable.size();
  }
  return Room::enough;
}

void VirtioNet::fill(Virtqueue& queue, std::span<const std::uint8_t> frame) {
  std::fill_n(incoming_.begin(), kHeader, std::uint8_t{0});
  incoming_[kNumBuffers] = static_cast<std::uint8_t>(held_count_ & 0xff);
  incoming_[kNumBuffers + 1] = static_cast<std::uint8_t>(held_count_ >> 8);
  for (std::size_t i = 0; i < held_count_; ++i) {
    const std::size_t put = held_[i].writable.write(0, frame);
    frame = frame.subspan(put);
    queue.put(held_[i], static_cast<std::uint32_t>(put));
  }
  queue.publish();
  held_count_ = 0;
}

}  // namespace vmctl
