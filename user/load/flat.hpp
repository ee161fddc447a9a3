// SPDX-License-Identifier: GPL-2.0
// Flat binaries: the file as it is, at one address. Pure arithmetic; touches nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.hpp"
#include "load/plan.hpp"

namespace vmctl {

// Above what real mode keeps in the first page: interrupt vectors, and the BIOS's data.
inline constexpr GuestAddr kFlatAddress{0x1000};

struct FlatRequest {
  std::optional<GuestAddr> at;     // none: kFlatAddress
  std::optional<GuestAddr> entry;  // none: the first byte of the image
};

// `memory_end` is the end of the guest's memory that begins at 0. usage: an address that cannot
// be; bad_image: a file that does not fit.
Result<LoadPlan> plan_flat(const FlatRequest& request, std::uint64_t image_size,
                           std::uint64_t memory_end);

}  // namespace vmctl
