// SPDX-License-Identifier: GPL-2.0
// Numbers as people write them: 4096, 0x1000, 64M, and 0.25 seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vmctl {

// Decimal, or hexadecimal after 0x. No sign, no blanks, nothing left over.
Result<std::uint64_t> parse_number(std::string_view text);

// A number, and one of K, M, G, T (powers of 1024, either case) if wished.
Result<std::uint64_t> parse_size(std::string_view text);

// A time in seconds, more than 0, as in 5 or 0.25.
Result<std::chrono::nanoseconds> parse_seconds(std::string_view text);

// "64M" where a unit divides it, "712288 bytes" where none does.
std::string format_size(std::uint64_t bytes);

}  // namespace vmctl
