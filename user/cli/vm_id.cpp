// SPDX-License-Identifier: GPL-2.0
#include "cli/vm_id.hpp"

#include <fmt/format.h>

#include <limits>

#include "base/size.hpp"

namespace vmctl::cli {
namespace {

constexpr const char* kAdvice = "vmctl ps lists them";

}  // namespace

Result<std::uint32_t> parse_vm_id(const std::string& text) {
  const auto id = parse_number(text);
  if (!id || *id == 0 || *id > std::numeric_limits<std::uint32_t>::max())
    return fail({.status = Status::usage,
                 .what = fmt::format("'{}'", text),
                 .why = "not the id of a VM",
                 .advice = kAdvice});
  return static_cast<std::uint32_t>(*id);
}

Error no_such_vm(std::string what) {
  return {.status = Status::no_input,
          .what = std::move(what),
          .why = "there is none with this id that is yours",
          .advice = kAdvice};
}

}  // namespace vmctl::cli
