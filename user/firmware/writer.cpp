// SPDX-License-Identifier: GPL-2.0
#include "firmware/writer.hpp"

#include <algorithm>
#include <numeric>

namespace vmctl::firmware {

Writer& Writer::number(std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8 * i));
  return *this;
}

Writer& Writer::text(std::string_view text, std::size_t size, char padding) {
  for (std::size_t i = 0; i < size; ++i)
    bytes_.push_back(static_cast<std::uint8_t>(i < text.size() ? text[i] : padding));
  return *this;
}

Writer& Writer::zeros(std::size_t count) {
  bytes_.resize(bytes_.size() + count);
  return *this;
}

Writer& Writer::bytes(std::span<const std::uint8_t> bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

Writer& Writer::align(std::size_t boundary) {
  return zeros((boundary - bytes_.size() % boundary) % boundary);
}

void seal(std::span<std::uint8_t> bytes, std::size_t offset) {
  bytes[offset] = 0;
  const unsigned sum = std::accumulate(bytes.begin(), bytes.end(), 0U);
  bytes[offset] = static_cast<std::uint8_t>(0U - sum);
}

}  // namespace vmctl::firmware
