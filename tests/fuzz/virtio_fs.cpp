// SPDX-License-Identifier: GPL-2.0
// A shared folder with a hostile driver: rings and requests are both what it likes.
#include "dev/virtio/fs.hpp"

#include <linux/fuse.h>

#include "share/session.hpp"
#include "shared_folder.hpp"
#include "virtio.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

void initialize(HostileDriver& driver) {
  struct {
    fuse_in_header header{};
    fuse_init_in arguments{.major = 7, .minor = 38, .flags = FUSE_INIT_EXT};
  } request;
  request.header.len = sizeof request;
  request.header.opcode = FUSE_INIT;
  driver.request(VirtioFs::kRequests, {reinterpret_cast<std::uint8_t*>(&request), sizeof request},
                 200);
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const SharedFolder folder;
  auto session = ShareSession::open(folder.share().string(), input.flag());
  require(session.has_value(), "a folder is shared");
  {
    VirtioFs device(**session, "share");
    HostileDriver driver(device, ring_features(input));
    initialize(driver);
    while (!input.done()) {
      const auto more = driver.step(input);
      if (!more) continue;
      const auto room = input.number<std::uint16_t>();
      driver.request(*more & 1U, input.bytes(input.number<std::uint8_t>()), room);
    }
  }
  folder.check();
  return 0;
}
