// SPDX-License-Identifier: GPL-2.0
// The table that /dev/vmctl gives.
#include "kernel/vm_table.hpp"

#include <fmt/format.h>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

std::string_view shown(const std::string& text) {
  return text.empty() ? std::string_view("-") : text;
}

}  // namespace

FUZZ_TARGET(data, size) {
  const auto rows = parse_vm_table(Input(data, size).rest());
  if (is_error(rows)) return 0;
  for (const VmRow& row : *rows) {
    require(is_safe(row.name) && is_safe(row.state) && is_safe(row.image), "a row is safe");
    const std::string line =
        fmt::format("{} {} {} {} {} {} {} {} {}", row.id, row.pid, row.uid, shown(row.name),
                    shown(row.state), row.vcpus, row.memory, row.exits, shown(row.image));
    const auto again = parse_vm_row(line);
    require(again.has_value(), "a row reads back");
    require(again->id == row.id && again->pid == row.pid && again->uid == row.uid &&
                again->name == row.name && again->state == row.state && again->vcpus == row.vcpus &&
                again->memory == row.memory && again->exits == row.exits &&
                again->image == row.image,
            "as it was");
  }
  return 0;
}
