// SPDX-License-Identifier: GPL-2.0
// ioctl numbers: what `vmctl ioctl encode` and `decode` are given, a word a line.
#include "kernel/ioctl_number.hpp"

#include "kernel/ioctl_names.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

void decode(std::uint32_t value) {
  const IoctlNumber number = split_ioctl(value);
  require(join_ioctl(number) == value, "a number is its parts");
  require(!direction_name(number.direction).empty(), "a direction has a name");
  require(is_safe(ioctl_macro(number)) && ioctl_macro(number).starts_with("_IO"), "and a macro");
  for (const IoctlName& named : ioctls_named(number)) {
    require(join_ioctl(named.number) == value && is_safe(named.name), "a name is its number's");
    require(is_safe(ioctl_macro(number, named.argument)), "its macro can be shown");
  }
  for (const IoctlName& near : ioctls_nearly(number))
    require(near.number != number && near.number.type == number.type &&
                near.number.number == number.number,
            "what is near is another");
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const auto whole = parse_ioctl(input.line());
  if (!is_error(whole)) decode(*whole);

  const auto direction = parse_ioctl_macro(input.line());
  const auto type = parse_ioctl_byte(input.line());
  const auto number = parse_ioctl_byte(input.line());
  const auto length = parse_ioctl_size(input.line());
  is_error(direction);
  is_error(type);
  is_error(number);
  if (is_error(length)) return 0;
  require(*length < kIoctlSizeEnd, "a size has 14 bits");
  if (!direction || !type || !number) return 0;
  const IoctlNumber parts{
      .direction = *direction, .size = *length, .type = *type, .number = *number};
  require(split_ioctl(join_ioctl(parts)) == parts, "parts make their number");
  decode(join_ioctl(parts));
  return 0;
}
