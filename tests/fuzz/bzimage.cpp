// SPDX-License-Identifier: GPL-2.0
// The plan for a bzImage: memory, command line and initrds first, then the file.
#include "load/bzimage.hpp"

#include "load/room.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

constexpr std::uint64_t kMiB = 1 << 20;

// A source of which only the size is asked.
class Sized final : public Source {
 public:
  explicit Sized(std::uint64_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  const std::string& path() const override { return path_; }
  Result<> read(std::uint64_t, std::span<std::uint8_t>) const override {
    require(false, "an initrd is not read while it is planned");
    return {};
  }

 private:
  std::uint64_t size_;
  std::string path_ = "initrd";
};

void require_sound(const LoadPlan& plan, const BootRequest& request, std::uint64_t size) {
  Room room = request.room();
  const auto take = [&](const std::string& name, GuestAddr at, std::uint64_t length) {
    require(at.value < 1ULL << 32 && length <= (1ULL << 32) - at.value, "all is below 4 GiB");
    require(!is_error(room.take(name, at, length)), "no two pieces share memory");
  };
  bool entered = false;
  for (const Segment& segment : plan.segments) {
    const std::uint64_t there =
        segment.file == 0 ? size : request.files[segment.file - 1].source->size();
    require(segment.offset <= there && segment.length <= there - segment.offset,
            "what is loaded is in the file");
    require(segment.length <= segment.memory_length, "and no more than it has room for");
    take(segment.name, segment.gpa, segment.memory_length);
    entered |= segment.file == 0 && segment.gpa <= plan.entry.address &&
               plan.entry.address.value - segment.gpa.value < segment.length;
  }
  require(entered, "the entry is in the kernel");
  for (const Block& block : plan.blocks) take(block.name, block.gpa, block.bytes.size());
  for (const std::string& note : plan.notes) require(is_safe(note), "a note is safe on a terminal");
}

}  // namespace

FUZZ_TARGET(data, length) {
  Input input(data, length);
  const auto flags = input.number<std::uint8_t>();
  const std::uint64_t memory = (2ULL << 20) + input.number<std::uint32_t>();
  const Sized first(input.number<std::uint32_t>());
  const Sized second(input.number<std::uint64_t>());
  BootRequest request{};
  request.command_line = input.line();
  request.memory_map = {
      {.base = {0}, .size = 0x9fc00, .type = MemoryType::usable},
      {.base = {0xf0000}, .size = 0x10000, .type = MemoryType::reserved},
      {.base = {kMiB}, .size = memory - kMiB, .type = MemoryType::usable},
  };
  if ((flags & 1) != 0) request.files.push_back({&first, ""});
  if ((flags & 2) != 0) request.files.push_back({&second, ""});
  if ((flags & 4) != 0) request.rng_seed.emplace();
  if ((flags & 8) != 0)
    request.memory_map.push_back(
        {.base = {8ULL << 30}, .size = memory * 32, .type = MemoryType::usable});
  const std::string file = input.rest();
  const MemorySource image({reinterpret_cast<const std::uint8_t*>(file.data()), file.size()},
                           "vmlinuz");
  const auto plan = plan_bzimage(request, image);
  if (!is_error(plan)) require_sound(*plan, request, file.size());
  return 0;
}
