// SPDX-License-Identifier: GPL-2.0
// The header of a Multiboot2 image (Multiboot2 2.0, 3.1), tag by tag.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "load/address_fields.hpp"
#include "load/source.hpp"

namespace vmctl {

struct Multiboot2Relocatable {  // 3.1.14
  std::uint32_t min_addr;
  std::uint32_t max_addr;  // of the image's last byte
  std::uint32_t align;     // a power of two
  std::uint32_t preference;
};
inline constexpr std::uint32_t kPreferLowest = 1;
inline constexpr std::uint32_t kPreferHighest = 2;

struct Multiboot2Header {
  std::uint64_t at;  // in the file
  std::optional<AddressFields> addresses;
  std::uint64_t addresses_at;
  std::optional<std::uint32_t> entry;
  std::uint64_t entry_at;
  std::optional<Multiboot2Relocatable> relocatable;
  std::uint64_t relocatable_at;
  std::vector<std::string> notes;
};

// bad_image: no such header, one that is not whole within the first 32768 bytes of the file, a tag
// of the wrong size, one that is required and not understood.
Result<Multiboot2Header> read_multiboot2_header(const Source& image);

}  // namespace vmctl
