// SPDX-License-Identifier: GPL-2.0
// An entropy device with a hostile driver.
#include "dev/virtio/rng.hpp"

#include "virtio.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  VirtioRng rng;
  HostileDriver driver(rng, ring_features(input));
  while (!input.done())
    if (driver.step(input)) driver.request(0, {}, input.number<std::uint16_t>());
  return 0;
}
