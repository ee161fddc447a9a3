// SPDX-License-Identifier: GPL-2.0
#include "bus/bus.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace vmctl {

Result<> Bus::claim(std::uint64_t base, std::uint64_t size, std::string name, Device& device) {
  const std::uint64_t last = base + size - 1;
  if (size == 0 || last < base)
    return fail({.status = Status::internal,
                 .what = fmt::format("cannot place {}", name),
                 .where = fmt::format("{:#x}", base),
                 .why = size == 0 ? "its range is empty" : "its range wraps"});
  const auto above = ranges_.upper_bound(last);
  if (above != ranges_.begin()) {
    const auto& [other_base, other] = *std::prev(above);
    if (other.last >= base)
      return fail(
          {.status = Status::internal,
           .what = fmt::format("cannot place {}", name),
           .where = fmt::format("{:#x} to {:#x}", base, last),
           .why = fmt::format("{} is at {:#x} to {:#x}", other.name, other_base, other.last)});
  }
  auto& range = ranges_[base];
  range.last = last;
  range.name = std::move(name);
  range.device = &device;
  return {};
}

Bus::Range* Bus::find(std::uint64_t address, std::size_t size, std::uint64_t& offset) {
  const auto above = ranges_.upper_bound(address);
  if (above == ranges_.begin() || size == 0) return nullptr;
  auto& [base, range] = *std::prev(above);
  if (address > range.last || size - 1 > range.last - address) return nullptr;
  offset = address - base;
  return &range;
}

bool Bus::read(std::uint64_t address, std::span<std::uint8_t> data) {
  std::uint64_t offset = 0;
  Range* range = find(address, data.size(), offset);
  std::fill(data.begin(), data.end(), std::uint8_t{0xff});
  if (range == nullptr) return false;
  const std::lock_guard guard(range->lock);
  range->device->read(offset, data);
  return true;
}

bool Bus::write(std::uint64_t address, std::span<const std::uint8_t> data) {
  std::uint64_t offset = 0;
  Range* range = find(address, data.size(), offset);
  if (range == nullptr) return false;
  const std::lock_guard guard(range->lock);
  range->device->write(offset, data);
  return true;
}

}  // namespace vmctl
