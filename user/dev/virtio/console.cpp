// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/console.hpp"

#include <array>
#include <cstring>

namespace vmctl {
namespace {

constexpr std::uint64_t kSize = 1ULL << 0;  // VIRTIO_CONSOLE_F_SIZE (5.3.3)
constexpr unsigned kReceive = 0;            // queues (5.3.2)
constexpr std::size_t kAtOnce = 4096;

}  // namespace

std::uint64_t VirtioConsole::features() const {
  return kSize;
}

void VirtioConsole::read_config(std::uint64_t offset, std::span<std::uint8_t> data) const {
  std::array<std::uint8_t, kConfigSize> config{};  // 5.3.4: more is for several ports
  std::memcpy(config.data(), &columns_, sizeof columns_);
  std::memcpy(&config[2], &rows_, sizeof rows_);
  copy_config(config, offset, data);
}

void VirtioConsole::resize(std::uint16_t columns, std::uint16_t rows) {
  transport().update_config([this, columns, rows] {
    columns_ = columns;
    rows_ = rows;
  });
}

Result<> VirtioConsole::serve(unsigned index) {
  if (index == kReceive) {
    if (on_room_) on_room_();
    return {};
  }
  return serve_each(index, sent_, [this](const Chain& chain) -> Result<std::uint32_t> {
    for (std::uint64_t offset = 0; offset < chain.readable.size(); offset += buffer_.size()) {
      buffer_.resize(kAtOnce);
      buffer_.resize(chain.readable.read(offset, buffer_));
      sink_.put(buffer_);
    }
    return 0;
  });
}

std::size_t VirtioConsole::receive(std::span<const std::uint8_t> bytes) {
  std::size_t taken = 0;
  transport().with_queues([&]() -> Result<> {
    Virtqueue* queue = transport().queue(kReceive);
    if (queue == nullptr) return {};
    for (std::uint32_t left = queue->size(); left > 0 && taken < bytes.size(); --left) {
      if (!TRY(queue->pop(received_))) {
        if (!queue->listen()) break;
        continue;
      }
      const std::size_t size = received_.writable.write(0, bytes.subspan(taken));
      queue->push(received_, static_cast<std::uint32_t>(size));
      taken += size;
    }
    transport().interrupt(kReceive);
    return {};
  });
  return taken;
}

}  // namespace vmctl
