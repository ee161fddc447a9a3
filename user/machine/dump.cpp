// SPDX-License-Identifier: GPL-2.0
#include "machine/dump.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "machine/code.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kResetBase = 0xffff0000;
constexpr std::uint64_t kResetRip = 0xfff0;

std::string dump_code(const AddressSpace& space, const CodeState& state) {
  const std::uint64_t linear = linear_rip(state);
  const auto code = read_code(space, linear, kInstructionMax);
  if (!code.empty()) {
    const auto instruction = instruction_at_rip(space, state);
    return fmt::format("  code {:#x}: {}  {}", linear, hex(code, " "),
                       instruction ? instruction->text : "(no instruction)");
  }
  const auto gpa = space.translate(linear);
  return gpa ? fmt::format("  code {:#x}: gpa {:#x} is not memory", linear, gpa->value)
             : fmt::format("  code {:#x}: not mapped by the guest's page tables", linear);
}

}  // namespace

std::string dump_vcpu(const Vcpu& vcpu, const GuestMemory& memory) {
  const auto regs = vcpu.regs();
  const auto sregs = vcpu.sregs();
  if (!regs || !sregs) return "  (its registers cannot be read any more)";
  std::string dump = dump_registers(*regs, *sregs) + "\n" +
                     dump_code(address_space(vcpu, memory), {*regs, *sregs});
  if (sregs->cs.base == kResetBase && regs->rip == kResetRip)
    dump +=
        "\n  This is the state after a reset: on AMD, KVM resets a vCPU that shuts down. What led\n"
        "  here is seen with --trace.";
  return dump;
}

}  // namespace vmctl
