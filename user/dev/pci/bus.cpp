// SPDX-License-Identifier: GPL-2.0
#include "dev/pci/bus.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vmctl {
namespace {

constexpr std::uint32_t kEnable = 1U << 31;  // of CONFIG_ADDRESS

}  // namespace

PciBus::PciBus(const ConfigAddress& address, std::uint32_t window, std::uint32_t size)
    : address_(address), base_(window), size_(size) {}

Result<> PciBus::add(PciFunction& function) {
  if (count_ == kSlots)
    return fail(
        {.status = Status::usage,
         .what = "too many devices",
         .why = fmt::format("a PCI bus has {} slots, and the first is its bridge's", kSlots)});
  PciConfig& config = function.config();
  for (unsigned index = 0; index < PciConfig::kBars; ++index) {
    const std::uint64_t size = config.bar_size(index);
    if (size == 0) continue;
    // Aligned in the address space, as the window need not be.
    const std::uint64_t at = (base_ + free_ + size - 1) / size * size;
    if (at + size > std::uint64_t{base_} + size_)
      return fail({.what = "no room for a PCI device", .why = "its window is full"});
    config.place_bar(index, static_cast<std::uint32_t>(at));
    config.enable_memory();
    free_ = at + size - base_;
  }
  slots_[count_++] = &function;
  function.config_changed();
  return {};
}

PciFunction* PciBus::selected(std::size_t& offset) const {
  const std::uint32_t address = address_.value();
  const std::uint32_t bus = address >> 16 & 0xff;
  const std::uint32_t slot = address >> 11 & 0x1f;
  const std::uint32_t function = address >> 8 & 0x7;
  offset += address & 0xfc;
  return (address & kEnable) != 0 && bus == 0 && function == 0 ? slots_[slot] : nullptr;
}

void PciBus::Data::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::unique_lock guard(bus_.lock_);
  std::size_t at = offset;
  PciFunction* function = bus_.selected(at);
  if (function != nullptr)
    function->read_config(at, data);
  else
    std::fill(data.begin(), data.end(), std::uint8_t{0xff});
}

void PciBus::Data::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  const std::unique_lock guard(bus_.lock_);
  std::size_t at = offset;
  if (PciFunction* function = bus_.selected(at); function != nullptr)
    function->write_config(at, data);
}

PciBus::Place PciBus::find(std::uint64_t offset, std::size_t size) const {
  const std::shared_lock guard(lock_);
  const std::uint64_t address = base_ + offset;
  for (unsigned slot = 0; slot < count_; ++slot)
    for (unsigned index = 0; index < PciConfig::kBars; ++index) {
      const auto bar = slots_[slot]->config().bar_address(index);
      if (!bar || address < *bar) continue;
      const std::uint64_t within = address - *bar;
      const std::uint64_t room = slots_[slot]->config().bar_size(index);
      if (within < room && size <= room - within) return {slots_[slot]->bar(index), within};
    }
  return {};
}

void PciBus::Window::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const Place place = bus_.find(offset, data.size());
  if (place.device != nullptr)
    place.device->read(place.offset, data);
  else
    std::fill(data.begin(), data.end(), std::uint8_t{0xff});
}

void PciBus::Window::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  const Place place = bus_.find(offset, data.size());
  if (place.device != nullptr) place.device->write(place.offset, data);
}

}  // namespace vmctl
