// SPDX-License-Identifier: GPL-2.0-only
//
// The interface as numbers, as whichever compiler reads this lays it out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace uapi {

struct Row {
  enum Kind { kValue, kStructure, kMember } kind;
  std::string structure;
  std::string name;
  std::uint64_t value;  // of a macro; offset of a member
  std::uint64_t size;   // of a structure or member
};

const std::vector<Row>& rows();
std::string dump();

}  // namespace uapi
