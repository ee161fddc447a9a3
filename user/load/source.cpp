// SPDX-License-Identifier: GPL-2.0
#include "load/source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace vmctl {

Result<> MemorySource::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  TRY(check_within(*this, "what is read", offset, into.size()));
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
  return {};
}

Failure reject(const Source& source, const Fault& fault) {
  return fail(
      {.status = Status::bad_image,
       .what = "cannot load the image",
       .where = fmt::format("{}, {} at offset {:#x}", source.path(), fault.field, fault.offset),
       .why = fmt::format("{}; allowed: {}", fault.found, fault.allowed),
       .advice = fault.advice});
}

Result<> check_within(const Source& source, std::string_view field, std::uint64_t offset,
                      std::uint64_t size) {
  const std::uint64_t end = source.size();
  if (offset <= end && size <= end - offset) return {};
  return reject(source, {.field = std::string(field),
                         .offset = offset,
                         .found = fmt::format("{:#x} bytes, and the file ends at {:#x}", size, end),
                         .allowed = fmt::format("at most {:#x} bytes", end - std::min(offset, end)),
                         .advice = "the file is truncated, or not what it says it is"});
}

Result<std::vector<std::uint8_t>> read_bytes(const Source& source, std::string_view field,
                                             std::uint64_t offset, std::uint64_t size,
                                             std::uint64_t limit) {
  if (size > limit)
    return reject(source, {.field = std::string(field),
                           .offset = offset,
                           .found = fmt::format("{:#x} bytes", size),
                           .allowed = fmt::format("at most {:#x}", limit)});
  TRY(check_within(source, field, offset, size));
  std::vector<std::uint8_t> bytes(size);
  TRY(source.read(offset, bytes));
  return bytes;
}

}  // namespace vmctl
