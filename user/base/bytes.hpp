// SPDX-License-Identifier: GPL-2.0
// Bytes as text, and little-endian numbers out of bytes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace vmctl {

// "0fa2" for 0x0f 0xa2; with a separator "0f a2".
std::string hex(std::span<const std::uint8_t> bytes, std::string_view separator = "");

// The first (at most eight) bytes as a little-endian number.
std::uint64_t little_endian(std::span<const std::uint8_t> bytes);

// True when there is at least one byte and each is printable ASCII.
bool printable(std::span<const std::uint8_t> bytes);

// All that is not printable ASCII, and the backslash, as octal escapes: safe on a terminal.
std::string escaped(std::string_view text);

// A VM's name as the module shows it (VMCTL_CREATE_VM): blank and double quote, too, so that it
// is one word, or ends where its quotes do.
std::string escaped_name(std::string_view name);

// What stands in a field that a NUL ends, if it is not full.
std::string_view text_in(std::span<const char> field);

}  // namespace vmctl
