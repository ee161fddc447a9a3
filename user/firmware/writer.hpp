// SPDX-License-Identifier: GPL-2.0
// Little-endian numbers and texts, one after the other, as firmware tables are made of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace vmctl::firmware {

using Bytes = std::vector<std::uint8_t>;

class Writer {
 public:
  Writer& u8(std::uint64_t value) { return number(value, 1); }
  Writer& u16(std::uint64_t value) { return number(value, 2); }
  Writer& u32(std::uint64_t value) { return number(value, 4); }
  Writer& u64(std::uint64_t value) { return number(value, 8); }
  // Exactly `size` bytes: cut, or filled up with `padding`.
  Writer& text(std::string_view text, std::size_t size, char padding = ' ');
  Writer& zeros(std::size_t count);
  Writer& bytes(std::span<const std::uint8_t> bytes);
  Writer& align(std::size_t boundary);  // with zeros

  std::size_t size() const { return bytes_.size(); }
  Bytes take() { return std::move(bytes_); }

 private:
  Writer& number(std::uint64_t value, std::size_t size);

  Bytes bytes_;
};

// Sets the byte at `offset` so that the sum of all is 0 in eight bits.
void seal(std::span<std::uint8_t> bytes, std::size_t offset);

}  // namespace vmctl::firmware
