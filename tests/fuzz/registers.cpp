// SPDX-License-Identifier: GPL-2.0
// --reg: an assignment a line.
#include "vm/registers.hpp"

#include <fmt/format.h>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::vector<std::string> lines;
  while (!input.done()) lines.push_back(input.line());
  for (const std::string& line : lines) {
    const auto value = parse_register(line);
    if (is_error(value)) continue;
    const std::string name = line.substr(0, line.find('='));
    const auto again = parse_register(fmt::format("{}={:#x}", name, value->value));
    require(again && again->member == value->member && again->value == value->value,
            "a register reads back");
    if (name.front() == 'e') require(value->value <= 0xffffffff, "half a register has 32 bits");
  }
  const auto values = parse_registers(lines);
  if (is_error(values)) return 0;
  kvm_regs regs{};
  for (const RegisterValue& value : *values) {
    require(regs.*value.member == 0, "each register once");
    regs.*value.member = value.value;
  }
  std::string dump = dump_registers(regs, kvm_sregs{});
  std::erase(dump, '\n');
  require(is_safe(dump), "a dump can be shown");
  return 0;
}
