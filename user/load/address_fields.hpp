// SPDX-License-Identifier: GPL-2.0
// Images that say in their multiboot header where they go, whatever file they are in (Multiboot
// 0.6.96, 3.1.3; Multiboot2 2.0, 3.1.5).
#pragma once

#include <cstdint>

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/room.hpp"
#include "load/source.hpp"

namespace vmctl {

// The same four words in both headers.
struct AddressFields {
  std::uint32_t header_addr;
  std::uint32_t load_addr;
  std::uint32_t load_end_addr;  // 0: to the end of the file
  std::uint32_t bss_end_addr;   // 0: no bss
};

// The image as one segment, not yet taken from any room. `header_at` is where the multiboot header
// is in the file, `fields_at` where these words are. bad_image with the field that is wrong.
Result<Segment> address_segment(const Source& source, const AddressFields& fields,
                                std::uint64_t header_at, std::uint64_t fields_at);

}  // namespace vmctl
