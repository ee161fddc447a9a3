// SPDX-License-Identifier: GPL-2.0
#include "machine/control_registers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

namespace vmctl {
namespace {

struct BitName {
  unsigned bit;
  std::string_view name;
};

constexpr auto kCr0 = std::to_array<BitName>({{0, "PE"},
                                              {1, "MP"},
                                              {2, "EM"},
                                              {3, "TS"},
                                              {4, "ET"},
                                              {5, "NE"},
                                              {16, "WP"},
                                              {18, "AM"},
                                              {29, "NW"},
                                              {30, "CD"},
                                              {31, "PG"}});
constexpr auto kCr4 = std::to_array<BitName>(
    {{0, "VME"},         {1, "PVI"},    {2, "TSD"},      {3, "DE"},    {4, "PSE"},
     {5, "PAE"},         {6, "MCE"},    {7, "PGE"},      {8, "PCE"},   {9, "OSFXSR"},
     {10, "OSXMMEXCPT"}, {11, "UMIP"},  {12, "LA57"},    {13, "VMXE"}, {14, "SMXE"},
     {16, "FSGSBASE"},   {17, "PCIDE"}, {18, "OSXSAVE"}, {19, "KL"},   {20, "SMEP"},
     {21, "SMAP"},       {22, "PKE"},   {23, "CET"},     {24, "PKS"}});
constexpr auto kEfer = std::to_array<BitName>({{0, "SCE"},
                                               {8, "LME"},
                                               {10, "LMA"},
                                               {11, "NXE"},
                                               {12, "SVME"},
                                               {13, "LMSLE"},
                                               {14, "FFXSR"},
                                               {15, "TCE"}});

struct Register {
  std::string_view name;
  __u64 kvm_sregs::*member;
  std::span<const BitName> bits;  // none: a number
};

constexpr auto kRegisters = std::to_array<Register>({
    {"cr0", &kvm_sregs::cr0, kCr0},
    {"cr3", &kvm_sregs::cr3, {}},
    {"cr4", &kvm_sregs::cr4, kCr4},
    {"cr8", &kvm_sregs::cr8, {}},
    {"efer", &kvm_sregs::efer, kEfer},
});

std::vector<std::string> names_of(std::uint64_t bits, std::span<const BitName> known) {
  std::vector<std::string> names;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((bits >> bit & 1) == 0) continue;
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const BitName& candidate) { return candidate.bit == bit; });
    names.push_back(found != known.end() ? std::string(found->name) : fmt::format("bit {}", bit));
  }
  return names;
}

}  // namespace

std::vector<ControlChange> control_changes(const kvm_sregs& before, const kvm_sregs& after) {
  std::vector<ControlChange> changes;
  for (const Register& reg : kRegisters) {
    const std::uint64_t old_value = before.*reg.member;
    const std::uint64_t new_value = after.*reg.member;
    if (old_value == new_value) continue;
    ControlChange change{.name = reg.name, .before = old_value, .after = new_value};
    if (!reg.bits.empty()) {
      change.set = names_of(new_value & ~old_value, reg.bits);
      change.cleared = names_of(old_value & ~new_value, reg.bits);
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

std::string format_change(const ControlChange& change) {
  std::string text = fmt::format("{} {:#x} -> {:#x}", change.name, change.before, change.after);
  for (const std::string& name : change.set) text += " +" + name;
  for (const std::string& name : change.cleared) text += " -" + name;
  return text;
}

}  // namespace vmctl
