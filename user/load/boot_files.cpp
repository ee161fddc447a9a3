// SPDX-License-Identifier: GPL-2.0
#include "load/boot_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "load/byte_writer.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kPage = 0x1000;
constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kLowerMax = 640 * kKiB;
constexpr GuestAddr kMiB{0x100000};
constexpr GuestAddr k4GiB{0x100000000};

}  // namespace

Result<GuestAddr> add_block(LoadPlan& plan, Room& room, std::string name,
                            std::vector<std::uint8_t> bytes, std::uint64_t align) {
  const GuestAddr gpa =
      TRY(room.place("the " + name, bytes.size(), align, GuestAddr{kPage}, k4GiB));
  plan.blocks.push_back({.name = std::move(name), .gpa = gpa, .bytes = std::move(bytes)});
  return gpa;
}

Result<GuestAddr> add_text(LoadPlan& plan, Room& room, std::string name, std::string_view text) {
  ByteWriter bytes;
  bytes.put_text(text);
  return add_block(plan, room, std::move(name), bytes.bytes(), 1);
}

Result<std::vector<PlacedFile>> add_files(LoadPlan& plan, Room& room, const BootRequest& request,
                                          GuestAddr low) {
  std::vector<PlacedFile> placed;
  for (std::size_t i = 0; i < request.files.size(); ++i) {
    const BootFile& file = request.files[i];
    const std::uint64_t size = file.source->size();
    const std::string name = fmt::format("module {}", i);
    const std::string what = fmt::format("{}, {},", name, file.source->path());
    const auto place = room.place(what, size, kPage, low, k4GiB);
    const GuestAddr gpa = place ? *place : TRY(room.place(what, size, kPage, kMiB, k4GiB));
    plan.segments.push_back(
        {.file = i + 1, .length = size, .gpa = gpa, .memory_length = size, .name = name});
    placed.push_back({.gpa = gpa,
                      .size = size,
                      .text = file.arguments.empty() ? std::string(base_name(file.source->path()))
                                                     : file.arguments});
  }
  return placed;
}

GuestAddr after_image(const Room& room) {
  GuestAddr end = kMiB;
  for (const Room::Taken& taken : room.taken())
    end = std::max(end, GuestAddr{taken.base.value + taken.size});
  return end;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

BasicMemory basic_memory(const BootRequest& request) {
  const Room room = request.room();
  const std::uint64_t lower = std::min(room.end_of(GuestAddr{0}).value, kLowerMax);
  const std::uint64_t upper = room.end_of(kMiB).value - kMiB.value;
  return {.lower = static_cast<std::uint32_t>(lower / kKiB),
          .upper = static_cast<std::uint32_t>(
              std::min<std::uint64_t>(upper / kKiB, std::numeric_limits<std::uint32_t>::max()))};
}

}  // namespace vmctl
