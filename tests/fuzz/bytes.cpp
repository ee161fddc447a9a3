// SPDX-License-Identifier: GPL-2.0
// Bytes as text.
#include "base/bytes.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

std::string without_escapes(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const bool escape = text.front() == '\\';
    require(!escape || text.size() >= 4, "an escape is whole");
    bytes += escape ? static_cast<char>(std::stoi(std::string(text.substr(1, 3)), nullptr, 8))
                    : text.front();
    text.remove_prefix(escape ? 4 : 1);
  }
  return bytes;
}

}  // namespace

FUZZ_TARGET(data, size) {
  const std::span bytes(data, size);
  const std::string text(bytes.begin(), bytes.end());
  require(is_safe(escaped(text)), "escaped text is safe");
  require(without_escapes(escaped(text)) == text, "and has lost nothing");
  require(printable(bytes) == (is_safe(text) && size > 0), "what is printable is safe");

  const std::string digits = hex(bytes);
  require(digits.size() == 2 * size, "two digits a byte");
  std::uint64_t value = 0;
  for (std::size_t i = std::min<std::size_t>(size, 8); i-- > 0;)
    value = value << 8 | std::stoul(digits.substr(2 * i, 2), nullptr, 16);
  require(little_endian(bytes) == value, "the first byte counts least");
  return 0;
}
