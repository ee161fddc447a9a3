// SPDX-License-Identifier: GPL-2.0
#include "vm/registers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/size.hpp"

namespace vmctl {
namespace {

struct Name {
  std::string_view name;
  __u64 kvm_regs::*member;
  unsigned bits;
};

#define LEGACY(x)                                                 \
  {"r" #x, &kvm_regs::r##x, 64}, {"e" #x, &kvm_regs::r##x, 32}, { \
#x, &kvm_regs::r##x, 16                                       \
  }
#define NUMBERED(x) \
  { #x, &kvm_regs::x, 64 }
constexpr auto kNames = std::to_array<Name>({
    LEGACY(ax),
    LEGACY(bx),
    LEGACY(cx),
    LEGACY(dx),
    LEGACY(si),
    LEGACY(di),
    LEGACY(bp),
    LEGACY(sp),
    LEGACY(ip),
    LEGACY(flags),
    NUMBERED(r8),
    NUMBERED(r9),
    NUMBERED(r10),
    NUMBERED(r11),
    NUMBERED(r12),
    NUMBERED(r13),
    NUMBERED(r14),
    NUMBERED(r15),
});
#undef LEGACY
#undef NUMBERED

Error refuse(std::string_view assignment, std::string why) {
  return {
      .status = Status::usage, .what = fmt::format("--reg {}", assignment), .why = std::move(why)};
}

std::string dump_segment(std::string_view name, const kvm_segment& segment) {
  return fmt::format("{} {:04x} base {:016x} limit {:08x}", name, segment.selector, segment.base,
                     segment.limit);
}

}  // namespace

Result<RegisterValue> parse_register(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos)
    return fail(refuse(assignment, "not of the form NAME=VALUE, as in rax=2"));
  const std::string_view name = assignment.substr(0, equals);
  const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const Name& known) { return known.name == name; });
  if (found == kNames.end())
    return fail(refuse(assignment, fmt::format("no register '{}' (rax, rbx, rcx, rdx, rsi, rdi, "
                                               "rbp, rsp, r8 to r15, rip, rflags)",
                                               name)));
  const auto value = parse_number(assignment.substr(equals + 1));
  if (!value) return fail(refuse(assignment, value.error().what + " " + value.error().why));
  if (found->bits < 64 && *value >> found->bits != 0)
    return fail(refuse(assignment, fmt::format("{} holds {} bits", name, found->bits)));
  return RegisterValue{.member = found->member, .value = *value};
}

Result<std::vector<RegisterValue>> parse_registers(std::span<const std::string> assignments) {
  std::vector<RegisterValue> values;
  for (const std::string& assignment : assignments) {
    const RegisterValue value = TRY(parse_register(assignment));
    if (std::any_of(values.begin(), values.end(),
                    [&](const RegisterValue& other) { return other.member == value.member; }))
      return fail(refuse(assignment, "the register is given twice"));
    values.push_back(value);
  }
  return values;
}

std::string dump_registers(const kvm_regs& regs, const kvm_sregs& sregs) {
  std::string dump = fmt::format(
      "  rip {:016x}  rflags {:08x}\n"
      "  rax {:016x}  rbx {:016x}  rcx {:016x}  rdx {:016x}\n"
      "  rsi {:016x}  rdi {:016x}  rbp {:016x}  rsp {:016x}\n"
      "  r8  {:016x}  r9  {:016x}  r10 {:016x}  r11 {:016x}\n"
      "  r12 {:016x}  r13 {:016x}  r14 {:016x}  r15 {:016x}\n",
      regs.rip, regs.rflags, regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp,
      regs.rsp, regs.r8, regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15);
  dump += fmt::format("  {}  {}\n  {}  {}\n  {}  {}\n", dump_segment("cs", sregs.cs),
                      dump_segment("ds", sregs.ds), dump_segment("es", sregs.es),
                      dump_segment("ss", sregs.ss), dump_segment("fs", sregs.fs),
                      dump_segment("gs", sregs.gs));
  dump += fmt::format("  gdt {:016x}:{:04x}  idt {:016x}:{:04x}\n", sregs.gdt.base, sregs.gdt.limit,
                      sregs.idt.base, sregs.idt.limit);
  dump += fmt::format("  cr0 {:08x}  cr2 {:016x}  cr3 {:016x}  cr4 {:08x}  efer {:x}", sregs.cr0,
                      sregs.cr2, sregs.cr3, sregs.cr4, sregs.efer);
  return dump;
}

}  // namespace vmctl
