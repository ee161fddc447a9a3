// SPDX-License-Identifier: GPL-2.0
#include "load/flat.hpp"

#include <fmt/format.h>

#include "base/size.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kParagraph = 16;

}  // namespace

Result<LoadPlan> plan_flat(const FlatRequest& request, std::uint64_t image_size,
                           std::uint64_t memory_end) {
  const GuestAddr base = request.at.value_or(kFlatAddress);
  const std::uint64_t at = base.value;
  if (at % kParagraph != 0)
    return fail({.status = Status::usage,
                 .what = fmt::format("--at {:#x}", at),
                 .why = "not a multiple of 16, one paragraph of real mode",
                 .advice = fmt::format("the nearest below is {:#x}", at - at % kParagraph)});
  if (at >= memory_end)
    return fail({.status = Status::usage,
                 .what = fmt::format("--at {:#x}", at),
                 .why = fmt::format("beyond the guest's memory of {}, which ends at {:#x}",
                                    format_size(memory_end), memory_end),
                 .advice = "give a lower address, or more memory with --mem"});
  if (image_size == 0)
    return fail({.status = Status::bad_image, .what = "the image", .why = "it is empty"});
  if (image_size > memory_end - at)
    return fail({.status = Status::bad_image,
                 .what = "the image does not fit into the guest's memory",
                 .why = fmt::format("{} bytes at {:#x}, and the memory of {} has room for {}",
                                    image_size, at, format_size(memory_end), memory_end - at),
                 .advice = "give the guest more with --mem"});
  const GuestAddr entry = request.entry.value_or(base);
  if (entry < base || entry.value - at >= image_size)
    return fail({.status = Status::usage,
                 .what = fmt::format("--entry {:#x}", entry.value),
                 .why = fmt::format("not within the image, which is at {:#x} to {:#x}", at,
                                    at + image_size - 1)});
  return LoadPlan{.format = Format::flat,
                  .segments = {{.length = image_size,
                                .gpa = base,
                                .memory_length = image_size,
                                .name = "flat binary"}},
                  .blocks = {},
                  .entry = {.mode = EntryMode::real, .address = entry}};
}

}  // namespace vmctl
