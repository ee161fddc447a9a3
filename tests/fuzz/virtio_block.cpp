// SPDX-License-Identifier: GPL-2.0
// A disk with a hostile driver.
#include "dev/virtio/block.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "virtio.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

constexpr std::uint64_t kSize = 64 * VirtioBlock::kSector;

Fd disk() {
  Fd fd(::memfd_create("disk", MFD_CLOEXEC));
  require(::ftruncate(fd.get(), kSize) == 0, "there is memory for a small disk");
  return fd;
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const bool read_only = input.flag();
  const std::uint64_t flush = input.flag() ? 1ULL << 9 : 0;
  Fd fd = disk();
  const int number = fd.get();
  VirtioBlock block({.fd = std::move(fd), .size = kSize, .read_only = read_only, .id = "disk"});
  HostileDriver driver(block, ring_features(input) | flush);
  while (!input.done()) {
    const auto left = driver.step(input);
    if (!left) continue;
    // A request that is one, of any kind, wherever.
    struct {
      std::uint32_t type;
      std::uint32_t reserved = 0;
      std::uint64_t sector;
      std::uint8_t rest[64];
    } request{.type = *left, .sector = input.number<std::uint8_t>(), .rest = {}};
    const auto rest = input.bytes(input.number<std::uint8_t>() % sizeof request.rest);
    std::copy(rest.begin(), rest.end(), std::begin(request.rest));
    driver.request(0, {reinterpret_cast<const std::uint8_t*>(&request), 16 + rest.size()},
                   input.number<std::uint16_t>());
  }
  require(::lseek(number, 0, SEEK_END) == kSize, "a disk keeps its size");
  if (!read_only) return 0;
  for (std::uint64_t at = 0; at < kSize; at += VirtioBlock::kSector) {
    std::array<std::uint8_t, VirtioBlock::kSector> sector{};
    require(::pread(number, sector.data(), sector.size(), static_cast<off_t>(at)) ==
                static_cast<ssize_t>(sector.size()),
            "a disk can be read");
    require(std::all_of(sector.begin(), sector.end(), [](std::uint8_t byte) { return byte == 0; }),
            "what is read-only is not written");
  }
  return 0;
}
