// SPDX-License-Identifier: GPL-2.0
// Whether code carries a global descriptor table: the processor writes to one when it loads a
// descriptor that is not marked as accessed (SDM 3A, 3.4.5.1), so that it cannot be read-only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace vmctl {

// The offset of a table in `bytes`, known by what LGDT takes (SDM 3A, figure 2-6: the limit, then
// the address) lying there, too: it is at `address` or, where that says so, at `other`. A table
// begins with a null descriptor and has one of code or data. Only the lower 32 bits of addresses
// count.
std::optional<std::size_t> find_gdt(std::span<const std::uint8_t> bytes, std::uint64_t address,
                                    std::uint64_t other);

}  // namespace vmctl
