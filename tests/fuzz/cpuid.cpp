// SPDX-License-Identifier: GPL-2.0
// --cpuid: a value a line, put into a table.
#include "vm/cpuid.hpp"

#include <fmt/format.h>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

std::string name(__u32 kvm_cpuid_entry2::*member) {
  if (member == &kvm_cpuid_entry2::eax) return "eax";
  if (member == &kvm_cpuid_entry2::ebx) return "ebx";
  return member == &kvm_cpuid_entry2::ecx ? "ecx" : "edx";
}

bool same(const CpuidValue& a, const CpuidValue& b) {
  return a.leaf == b.leaf && a.subleaf == b.subleaf && a.member == b.member && a.value == b.value;
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  Cpuid cpuid(2);
  cpuid[0].function = 1;
  cpuid[1].function = 0xb;
  while (!input.done()) {
    const auto value = parse_cpuid(input.line());
    if (is_error(value)) continue;
    const std::string leaf = value->subleaf ? fmt::format("{}.{}", value->leaf, *value->subleaf)
                                            : fmt::format("{:#x}", value->leaf);
    const auto again =
        parse_cpuid(fmt::format("{}:{}={:#x}", leaf, name(value->member), value->value));
    require(again && same(*again, *value), "a value reads back");

    const std::size_t before = cpuid.size();
    apply_cpuid(cpuid, std::span(&*value, 1));
    require(cpuid.size() <= before + 1, "a value adds one entry at most");
    require(std::any_of(cpuid.begin(), cpuid.end(),
                        [&](const kvm_cpuid_entry2& entry) {
                          return entry.function == value->leaf &&
                                 (!value->subleaf || entry.index == *value->subleaf) &&
                                 entry.*value->member == value->value;
                        }),
            "a value is there");
  }
  return 0;
}
