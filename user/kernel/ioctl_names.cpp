// SPDX-License-Identifier: GPL-2.0
#include "kernel/ioctl_names.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "kernel/ioctl_table.h"

namespace vmctl {
namespace {

std::vector<IoctlName> sorted_table() {
  std::vector<IoctlName> names;
  for (const vmctl_ioctl_row* row = vmctl_ioctl_rows; row->name != nullptr; ++row)
    names.push_back({.number = split_ioctl(row->number),
                     .name = row->name,
                     .argument = row->argument,
                     .header = row->header});
  std::sort(names.begin(), names.end(), [](const IoctlName& a, const IoctlName& b) {
    return std::tie(a.number.type, a.number.number, a.name) <
           std::tie(b.number.type, b.number.number, b.name);
  });
  return names;
}

bool same_command(IoctlNumber a, IoctlNumber b) {
  return a.type == b.type && a.number == b.number;
}

template <class Predicate>
std::vector<IoctlName> select(Predicate wanted) {
  std::vector<IoctlName> names;
  std::ranges::copy_if(known_ioctls(), std::back_inserter(names), wanted);
  return names;
}

}  // namespace

std::span<const IoctlName> known_ioctls() {
  static const std::vector<IoctlName> names = sorted_table();
  return names;
}

std::vector<IoctlName> ioctls_named(IoctlNumber number) {
  return select([&](const IoctlName& known) { return known.number == number; });
}

std::vector<IoctlName> ioctls_nearly(IoctlNumber number) {
  return select([&](const IoctlName& known) {
    return same_command(known.number, number) && known.number != number;
  });
}

}  // namespace vmctl
