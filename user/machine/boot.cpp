// SPDX-License-Identifier: GPL-2.0
#include "machine/boot.hpp"

#include <sys/random.h>

#include <algorithm>
#include <utility>

#include "firmware/firmware.hpp"
#include "load/format.hpp"
#include "load/planner.hpp"
#include "load/request.hpp"
#include "load/unpack.hpp"
#include "machine/loader.hpp"

namespace vmctl {
namespace {

// Nothing where the kernel has not gathered enough yet: a guest then has to gather its own.
std::optional<RngSeed> random_seed() {
  RngSeed seed{};
  if (::getrandom(seed.data(), seed.size(), GRND_NONBLOCK) != static_cast<ssize_t>(seed.size()))
    return std::nullopt;
  return seed;
}

// No larger than the guest's memory, or it would fit nowhere.
Result<Image> open_unpacked(const std::string& path, std::uint64_t limit) {
  Image image = TRY(Image::open(path));
  auto unpacked = TRY(unpack(image, limit));
  return unpacked ? std::move(*unpacked) : std::move(image);
}

}  // namespace

Result<Boot> Boot::prepare(const BootConfig& config) {
  Boot boot;
  boot.images_.push_back(std::make_unique<Image>(
      TRY(open_unpacked(config.image, config.memory.value_or(layout::kMemoryDefaultKernel)))));
  for (const BootFileConfig& file : config.files)
    boot.images_.push_back(std::make_unique<Image>(TRY(Image::open(file.path))));

  const Image& image = *boot.images_.front();
  const Format format = config.format ? *config.format : TRY(identify(image));
  const bool flat = format == Format::flat;
  boot.memory_size_ =
      config.memory.value_or(flat ? layout::kMemoryDefault : layout::kMemoryDefaultKernel);

  BootRequest request{.flat = config.flat,
                      .format = format,
                      .command_line = config.command_line,
                      .files = {},
                      .memory_map = layout::memory_map(boot.memory_size_),
                      .rsdp = layout::kRsdp,
                      .rsdp_bytes = firmware::root_pointer(),
                      .memory_end = std::min(boot.memory_size_, layout::kLowMemory.size)};
  for (std::size_t i = 0; i < config.files.size(); ++i)
    request.files.push_back(
        {.source = boot.images_[i + 1].get(), .arguments = config.files[i].arguments});
  request.rng_seed = random_seed();
  boot.plan_ = TRY(plan_image(request, image));
  return boot;
}

std::vector<MemoryRange> Boot::read_only() const {
  std::vector<MemoryRange> ranges;
  for (const Segment& segment : plan_.segments)
    if (segment.read_only) ranges.push_back({.gpa = segment.gpa, .size = segment.memory_length});
  return ranges;
}

Result<std::optional<Digest>> Boot::load(const Vm& vm, const GuestMemory& memory) const {
  std::optional<Digest> digest;
  // The image last, so that its measure is what the VM is known by.
  for (const bool of_image : {false, true})
    for (const Segment& segment : plan_.segments)
      if ((segment.file == 0) == of_image && segment.length > 0)
        digest = TRY(load_segment(vm, memory, *images_[segment.file], segment));
  for (const Block& block : plan_.blocks) {
    const auto room = TRY(memory.span(block.gpa, block.bytes.size()));
    std::copy(block.bytes.begin(), block.bytes.end(), room.begin());
  }
  return digest;
}

}  // namespace vmctl
