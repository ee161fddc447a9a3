// SPDX-License-Identifier: GPL-2.0
#include "bus/bus.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmctl {
namespace {

// The first piece of an access of `size` bytes to a device with these widths: the widest there is.
std::size_t first_piece(Widths widths, std::size_t size) {
  for (std::size_t width = kQwords; width > 1; width /= 2)
    if (width <= size && (widths & width) != 0) return width;
  return 1;
}

bool fits(Widths widths, std::size_t size) {
  return size <= kQwords && (size & (size - 1)) == 0 && (widths & size) != 0;
}

}  // namespace

Result<> Bus::claim(std::uint64_t base, std::uint64_t size, std::string name, Device& device,
                    Widths widths) {
  const auto refuse = [&](std::string why) {
    return fail({.status = Status::internal,
                 .what = fmt::format("cannot place {}", name),
                 .where = fmt::format("{:#x}, {:#x} bytes", base, size),
                 .why = std::move(why)});
  };
  const std::uint64_t last = base + size - 1;
  if (size == 0) return refuse("its range is empty");
  if (last < base) return refuse("its range wraps");
  if ((widths & kBytes) == 0) return refuse("it takes no bytes, which all else can be split into");
  const auto above = std::find_if(ranges_.begin(), ranges_.end(),
                                  [&](const Range& range) { return range.last >= base; });
  if (above != ranges_.end() && above->base <= last)
    return refuse(fmt::format("{} is at {:#x} to {:#x}", above->name, above->base, above->last));
  ranges_.insert(
      above,
      {.base = base, .last = last, .name = std::move(name), .device = &device, .widths = widths});
  return {};
}

const Bus::Range* Bus::find(std::uint64_t address) const {
  const auto range = std::lower_bound(
      ranges_.begin(), ranges_.end(), address,
      [](const Range& candidate, std::uint64_t wanted) { return candidate.last < wanted; });
  return range != ranges_.end() && range->base <= address ? &*range : nullptr;
}

template <class Byte, class Access>
bool Bus::split(std::uint64_t address, std::span<Byte> data, Access access) const {
  bool taken = false;
  for (std::size_t done = 0; done < data.size();) {
    // Beyond the last address the bus begins anew.
    const Range* range = find(address + done);
    const std::size_t left = data.size() - done;
    if (range == nullptr) {
      ++done;
      continue;
    }
    const std::uint64_t room = range->last - (address + done);
    const std::size_t piece =
        first_piece(range->widths, room < left ? static_cast<std::size_t>(room) + 1 : left);
    access(*range, address + done - range->base, data.subspan(done, piece));
    taken = true;
    done += piece;
  }
  return taken;
}

bool Bus::read(std::uint64_t address, std::size_t width, std::span<std::uint8_t> data) const {
  const Range* range = find(address);
  if (range != nullptr && !data.empty() && fits(range->widths, width) &&
      width - 1 <= range->last - address) {
    if (width == data.size())
      range->device->read(address - range->base, data);
    else
      range->device->read_string(address - range->base, width, data);
    return true;
  }
  std::fill(data.begin(), data.end(), std::uint8_t{0xff});
  bool taken = false;
  for (; !data.empty(); data = data.subspan(width))
    taken |= split(address, data.first(width),
                   [](const Range& at, std::uint64_t offset, std::span<std::uint8_t> piece) {
                     at.device->read(offset, piece);
                   });
  return taken;
}

bool Bus::write(std::uint64_t address, std::size_t width,
                std::span<const std::uint8_t> data) const {
  const Range* range = find(address);
  if (range != nullptr && !data.empty() && fits(range->widths, width) &&
      width - 1 <= range->last - address) {
    if (width == data.size())
      range->device->write(address - range->base, data);
    else
      range->device->write_string(address - range->base, width, data);
    return true;
  }
  bool taken = false;
  for (; !data.empty(); data = data.subspan(width))
    taken |= split(address, data.first(width),
                   [](const Range& at, std::uint64_t offset, std::span<const std::uint8_t> piece) {
                     at.device->write(offset, piece);
                   });
  return taken;
}

std::string_view Bus::name_at(std::uint64_t address) const {
  const Range* range = find(address);
  return range != nullptr ? std::string_view(range->name) : std::string_view();
}

}  // namespace vmctl
