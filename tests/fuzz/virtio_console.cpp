// SPDX-License-Identifier: GPL-2.0
// A console with a hostile driver, and input that comes meanwhile.
#include "dev/virtio/console.hpp"

#include "virtio.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

class Far final : public Sink {
 public:
  void put(std::span<const std::uint8_t> bytes) override {
    require(!bytes.empty(), "who has nothing to say is silent");
    for (const std::uint8_t byte : bytes) sum = static_cast<std::uint8_t>(sum + byte);
  }
  std::uint8_t sum = 0;
};

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  Far far;
  VirtioConsole console(far);
  HostileDriver driver(console, ring_features(input));
  while (!input.done()) {
    const auto left = driver.step(input);
    if (!left) continue;
    if (*left == 0) console.resize(input.number<std::uint16_t>(), input.number<std::uint16_t>());
    const auto bytes = input.bytes(input.number<std::uint8_t>());
    require(console.receive(bytes) <= bytes.size(), "no more is taken than there is");
  }
  return 0;
}
