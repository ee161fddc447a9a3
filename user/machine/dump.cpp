// SPDX-License-Identifier: GPL-2.0
#include "machine/dump.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kInstructionMax = 15;
constexpr std::uint64_t kPageSize = 4096;
constexpr std::uint64_t kResetBase = 0xffff0000;
constexpr std::uint64_t kResetRip = 0xfff0;

std::string dump_code(const Vcpu& vcpu, const GuestMemory& memory, std::uint64_t linear) {
  const auto gpa = vcpu.translate(linear);
  if (!gpa) return fmt::format("  code {:#x}: not mapped by the guest's page tables", linear);
  // Not past the page: the next one may be anywhere.
  for (std::uint64_t length = std::min(kInstructionMax, kPageSize - gpa->value % kPageSize);
       length > 0; --length)
    if (const auto bytes = memory.span(*gpa, length))
      return fmt::format("  code {:#x}: {}", linear, hex(*bytes, " "));
  return fmt::format("  code {:#x}: gpa {:#x} is not memory", linear, gpa->value);
}

}  // namespace

std::string dump_vcpu(const Vcpu& vcpu, const GuestMemory& memory) {
  const auto regs = vcpu.regs();
  const auto sregs = vcpu.sregs();
  if (!regs || !sregs) return "  (its registers cannot be read any more)";
  std::string dump =
      dump_registers(*regs, *sregs) + "\n" + dump_code(vcpu, memory, sregs->cs.base + regs->rip);
  if (sregs->cs.base == kResetBase && regs->rip == kResetRip)
    dump +=
        "\n  This is the state after a reset: on AMD, KVM resets a vCPU that shuts down. What led\n"
        "  here is seen with --trace.";
  return dump;
}

}  // namespace vmctl
