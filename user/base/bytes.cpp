// SPDX-License-Identifier: GPL-2.0
#include "base/bytes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace vmctl {
namespace {

constexpr bool is_printable(unsigned char byte) {
  return byte >= 0x20 && byte < 0x7f;
}

// Octal ones, of these and of what is not printable ASCII.
std::string with_escapes(std::string_view text, std::string_view these) {
  std::string safe;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_printable(byte) && these.find(c) == std::string_view::npos)
      safe += c;
    else
      safe += fmt::format("\\{:03o}", byte);
  }
  return safe;
}

}  // namespace

std::string hex(std::span<const std::uint8_t> bytes, std::string_view separator) {
  std::string text;
  for (const std::uint8_t byte : bytes)
    text += fmt::format("{}{:02x}", text.empty() ? "" : separator, byte);
  return text;
}

std::uint64_t little_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = std::min<std::size_t>(bytes.size(), sizeof value); i-- > 0;)
    value = value << 8 | bytes[i];
  return value;
}

bool printable(std::span<const std::uint8_t> bytes) {
  return !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), is_printable);
}

std::string escaped(std::string_view text) {
  return with_escapes(text, "\\");
}

std::string escaped_name(std::string_view name) {
  return with_escapes(name, "\\ \"");
}

std::string_view text_in(std::span<const char> field) {
  return {field.data(), ::strnlen(field.data(), field.size())};
}

}  // namespace vmctl
