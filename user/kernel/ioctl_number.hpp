// SPDX-License-Identifier: GPL-2.0
// The number of an ioctl, in its parts. From the top: two bits of direction, 14 of size, eight of
// type and eight of number (linux/ioctl.h). The kernel looks at these 32 bits and no more.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace vmctl {

// As the caller sees it: _IOW writes to the kernel, _IOR reads from it.
enum class IoctlDirection : std::uint8_t { none = 0, write = 1, read = 2, read_write = 3 };

struct IoctlNumber {
  IoctlDirection direction = IoctlDirection::none;
  std::uint16_t size = 0;  // below kIoctlSizeEnd
  std::uint8_t type = 0;
  std::uint8_t number = 0;

  bool operator==(const IoctlNumber&) const = default;
};

inline constexpr std::uint32_t kIoctlSizeEnd = 1U << 14;

IoctlNumber split_ioctl(std::uint32_t value);
// The inverse; `size` is cut to its 14 bits.
std::uint32_t join_ioctl(IoctlNumber number);

// "none", "write", "read", "read+write"
std::string_view direction_name(IoctlDirection direction);

// C that makes the number: "_IOR(0xae, 0x81, struct kvm_regs)". Without an argument's type an array
// of that size stands for it; what no such macro makes is spelled with _IOC.
std::string ioctl_macro(IoctlNumber number, std::string_view argument = "");

// "IOWR" or "_iowr".
Result<IoctlDirection> parse_ioctl_macro(std::string_view text);

// A number below 256, or a character that stands for its code: "0xd7", "T", "'T'".
Result<std::uint8_t> parse_ioctl_byte(std::string_view text);

Result<std::uint16_t> parse_ioctl_size(std::string_view text);

// A whole ioctl number.
Result<std::uint32_t> parse_ioctl(std::string_view text);

}  // namespace vmctl
