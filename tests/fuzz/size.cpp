// SPDX-License-Identifier: GPL-2.0
// Numbers and sizes of the command line: "0x1000", "64M".
#include "base/size.hpp"

#include <fmt/format.h>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, length) {
  const std::string text = Input(data, length).rest();
  const auto number = parse_number(text);
  const auto size = parse_size(text);
  if (!is_error(number)) {
    require(size && *size == *number, "a number is a size");
    require(parse_number(fmt::format("{}", *number)) == *number, "decimal numbers read back");
    require(parse_number(fmt::format("{:#x}", *number)) == *number, "so do hexadecimal ones");
  }
  if (is_error(size)) return 0;
  std::string shown = format_size(*size);
  if (shown.ends_with(" bytes")) shown.resize(shown.size() - 6);
  require(parse_size(shown) == *size, "what is shown of a size reads back");
  return 0;
}
