// SPDX-License-Identifier: GPL-2.0
#include "dev/config_address.hpp"

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::uint32_t kBits = 0x80fffffc;  // enable, bus, device, function, register

}  // namespace

void ConfigAddress::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  if (data.size() == 1 && offset == 1) {
    second_byte_.read(0, data);
    return;
  }
  const std::uint32_t value = data.size() == kSize ? address_.load() : 0xffffffff;
  for (std::size_t i = 0; i < data.size(); ++i)
    data[i] = static_cast<std::uint8_t>(value >> 8 * (i % kSize));
}

void ConfigAddress::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  if (data.size() == 1 && offset == 1)
    second_byte_.write(0, data);
  else if (data.size() == kSize)
    address_ = static_cast<std::uint32_t>(little_endian(data)) & kBits;
}

}  // namespace vmctl
