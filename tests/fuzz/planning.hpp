// SPDX-License-Identifier: GPL-2.0
// A planner given an image of any bytes, and a request of some.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"
#include "plan_rules.hpp"
#include "property.hpp"

namespace vmctl::fuzz {

// Four bytes make the request, the rest is the image.
struct Planning {
  explicit Planning(Input& input) {
    constexpr std::uint64_t kMiB = 1 << 20;
    constexpr std::array<std::uint64_t, 8> kMemory{1,         2 * kMiB, 5 * kMiB,   64 * kMiB,
                                                   64 * kMiB, 64,       513 * kMiB, 4096 * kMiB};
    const auto memory = kMemory.at(input.number<std::uint8_t>() % kMemory.size());
    const auto line = input.number<std::uint8_t>();
    const auto count = input.number<std::uint8_t>();
    const auto flags = input.number<std::uint8_t>();
    request.memory_end = memory;
    const auto add = [&](std::uint64_t base, std::uint64_t end, MemoryType type) {
      end = std::min(end, memory);
      if (base < end)
        request.memory_map.push_back({.base = GuestAddr{base}, .size = end - base, .type = type});
    };
    add(0, 0x9fc00, MemoryType::usable);
    add(0x9fc00, 0xa0000, MemoryType::reserved);
    add(kMiB, 3072 * kMiB, MemoryType::usable);
    if ((flags & 1) != 0)
      request.memory_map.push_back(
          {.base = GuestAddr{4096 * kMiB}, .size = kMiB, .type = MemoryType::usable});
    if ((flags & 2) != 0) {
      request.rsdp = GuestAddr{0xe0000};
      request.rsdp_bytes.assign(36, 1);
    }
    request.command_line = std::string(std::size_t{line} * line / 16, 'x');
    for (unsigned i = 0; i < count % 4; ++i)
      request.files.push_back({.source = &file, .arguments = (flags & 4) != 0 ? "some" : ""});
    const auto rest = input.bytes(1 << 20);
    image.assign(rest.begin(), rest.end());
  }

  static inline const std::vector<std::uint8_t> file_bytes = std::vector<std::uint8_t>(0x1801, 1);
  MemorySource file{file_bytes, "file"};
  BootRequest request;
  std::vector<std::uint8_t> image;
};

// Refused with an error as it should be, or planned as it should be.
template <class Planner>
void check_planner(const std::uint8_t* data, std::size_t size, Planner planner) {
  Input input(data, size);
  Planning planning(input);
  const MemorySource source(planning.image, "image");
  const Result<LoadPlan> plan = planner(planning.request, source);
  if (is_error(plan)) return;
  require(!plan->segments.empty(), "there is something to run");
  const std::string broken = test::broken_rule(*plan, planning.request, source);
  require(broken.empty(), broken.c_str());
}

}  // namespace vmctl::fuzz
