// SPDX-License-Identifier: GPL-2.0
// A network card with a hostile driver, and frames that come meanwhile.
#include "dev/virtio/net.hpp"

#include <deque>

#include "virtio.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

class Wire final : public NetBackend {
 public:
  void start(std::function<bool()> handler) override { arrived = std::move(handler); }
  void resume() override {}
  void stop() override {}
  void send(std::span<const std::uint8_t> frame) override {
    require(frame.size() >= 14 && frame.size() <= kFrameMax, "a frame has a frame's length");
    for (const std::uint8_t byte : frame) sum = static_cast<std::uint8_t>(sum + byte);
  }
  std::size_t receive(std::span<std::uint8_t> room) override {
    while (!incoming.empty()) {
      const std::size_t size = incoming.front();
      incoming.pop_front();
      if (size > room.size()) continue;
      std::fill_n(room.begin(), size, std::uint8_t{0x55});
      return size;
    }
    return 0;
  }

  std::function<bool()> arrived;
  std::deque<std::size_t> incoming;
  std::uint8_t sum = 0;
};

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  auto wire = std::make_unique<Wire>();
  Wire& far = *wire;
  VirtioNet card(std::move(wire), {2, 0, 0, 0, 0, 1});
  const std::uint64_t merge = input.flag() ? 1ULL << 15 : 0;
  HostileDriver driver(card, ring_features(input) | merge);
  while (!input.done()) {
    if (!driver.step(input)) continue;
    far.incoming.push_back(1 + input.number<std::uint16_t>());
    if (input.flag()) far.arrived();
  }
  return 0;
}
