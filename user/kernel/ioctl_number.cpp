// SPDX-License-Identifier: GPL-2.0
#include "kernel/ioctl_number.hpp"

#include <fmt/format.h>
#include <linux/ioctl.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/bytes.hpp"
#include "base/size.hpp"

namespace vmctl {
namespace {

static_assert(_IOC_NRSHIFT == 0 && _IOC_TYPESHIFT == 8 && _IOC_SIZESHIFT == 16 &&
              _IOC_DIRSHIFT == 30 && _IOC_SIZEBITS == 14);
static_assert(_IOC_NONE == 0 && _IOC_WRITE == 1 && _IOC_READ == 2);

struct Words {
  std::string_view name;
  std::string_view macro;
  std::string_view ioc;  // the first argument of _IOC()
};

constexpr auto kDirections = std::to_array<Words>({
    {"none", "IO", "_IOC_NONE"},
    {"write", "IOW", "_IOC_WRITE"},
    {"read", "IOR", "_IOC_READ"},
    {"read+write", "IOWR", "_IOC_READ | _IOC_WRITE"},
});

const Words& words(IoctlDirection direction) {
  return kDirections.at(static_cast<std::size_t>(direction));
}

Error wrong(std::string_view text, std::string why, std::string advice = "") {
  return {.status = Status::usage,
          .what = fmt::format("'{}'", escaped(text)),
          .why = std::move(why),
          .advice = std::move(advice)};
}

Result<std::uint64_t> parse(std::string_view text) {
  auto value = parse_number(text);
  if (!value) return fail(wrong(text, value.error().why));
  return *value;
}

}  // namespace

IoctlNumber split_ioctl(std::uint32_t value) {
  return {.direction = static_cast<IoctlDirection>(value >> 30),
          .size = static_cast<std::uint16_t>(value >> 16 & (kIoctlSizeEnd - 1)),
          .type = static_cast<std::uint8_t>(value >> 8 & 0xff),
          .number = static_cast<std::uint8_t>(value & 0xff)};
}

std::uint32_t join_ioctl(IoctlNumber number) {
  return static_cast<std::uint32_t>(number.direction) << 30 |
         (std::uint32_t{number.size} & (kIoctlSizeEnd - 1)) << 16 |
         std::uint32_t{number.type} << 8 | number.number;
}

std::string_view direction_name(IoctlDirection direction) {
  return words(direction).name;
}

std::string ioctl_macro(IoctlNumber number, std::string_view argument) {
  const bool none = number.direction == IoctlDirection::none;
  if (none != (number.size == 0))
    return fmt::format("_IOC({}, {:#04x}, {:#04x}, {})", words(number.direction).ioc, number.type,
                       number.number, number.size);
  if (none) return fmt::format("_IO({:#04x}, {:#04x})", number.type, number.number);
  return fmt::format("_{}({:#04x}, {:#04x}, {})", words(number.direction).macro, number.type,
                     number.number,
                     argument.empty() ? fmt::format("char[{}]", number.size) : argument);
}

Result<IoctlDirection> parse_ioctl_macro(std::string_view text) {
  std::string upper(text.substr(text.starts_with('_') ? 1 : 0));
  for (char& c : upper)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  for (std::size_t i = 0; i < kDirections.size(); ++i)
    if (upper == kDirections.at(i).macro) return static_cast<IoctlDirection>(i);
  return fail(wrong(text, "not one of IO, IOR, IOW, IOWR"));
}

Result<std::uint8_t> parse_ioctl_byte(std::string_view text) {
  if (text.size() == 3 && text.front() == '\'' && text.back() == '\'') return text[1];
  if (text.size() == 1 && (text[0] < '0' || text[0] > '9')) return text[0];
  const std::uint64_t value = TRY(parse(text));
  if (value > std::numeric_limits<std::uint8_t>::max())
    return fail(wrong(text, "type and number have eight bits each: 0 to 255"));
  return static_cast<std::uint8_t>(value);
}

Result<std::uint16_t> parse_ioctl_size(std::string_view text) {
  const std::uint64_t value = TRY(parse(text));
  if (value >= kIoctlSizeEnd) return fail(wrong(text, "a size has 14 bits: 0 to 16383"));
  return static_cast<std::uint16_t>(value);
}

Result<std::uint32_t> parse_ioctl(std::string_view text) {
  const std::uint64_t value = TRY(parse(text));
  const auto low = static_cast<std::uint32_t>(value);
  if (value != low)
    return fail(wrong(text, "does not fit in 32 bits",
                      fmt::format("the kernel looks at the low 32 bits only: {:#x}", low)));
  return low;
}

}  // namespace vmctl
