// SPDX-License-Identifier: GPL-2.0-only
#include "dump.hpp"

#include <linux/vmctl.h>

#include <cstddef>
#include <cstdio>

namespace uapi {

#define VALUE(macro) {Row::kValue, "", #macro, static_cast<std::uint64_t>(macro), 0},
#define STRUCTURE(type) {Row::kStructure, #type, "", alignof(struct type), sizeof(struct type)},
#define MEMBER(type, member)                                    \
  {Row::kMember, #type, #member, offsetof(struct type, member), \
   sizeof(static_cast<struct type*>(nullptr)->member)},

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
#include "rows.inc"
  };
  return all;
}

std::string dump() {
  std::string text;
  char line[200];
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  for (const Row& row : rows()) {
    switch (row.kind) {
      case Row::kValue:
        std::snprintf(line, sizeof line, "%s %#llx\n", row.name.c_str(), number(row.value));
        break;
      case Row::kStructure:
        std::snprintf(line, sizeof line, "struct %s size %llu align %llu\n", row.structure.c_str(),
                      number(row.size), number(row.value));
        break;
      case Row::kMember:
        std::snprintf(line, sizeof line, "  %s offset %llu size %llu\n", row.name.c_str(),
                      number(row.value), number(row.size));
        break;
    }
    text += line;
  }
  return text;
}

}  // namespace uapi
