// SPDX-License-Identifier: GPL-2.0
// FUSE requests, as a guest's kernel puts them together.
#pragma once

#include <linux/fuse.h>

#include <cstdint>
#include <string>

namespace vmctl::test {

template <class T>
std::string arguments(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

inline std::string fuse_request(std::uint32_t opcode, std::uint64_t node,
                                const std::string& arguments_and_data) {
  fuse_in_header header{};
  header.len = static_cast<std::uint32_t>(sizeof header + arguments_and_data.size());
  header.opcode = opcode;
  header.unique = 42;
  header.nodeid = node;
  return arguments(header) + arguments_and_data;
}

}  // namespace vmctl::test
