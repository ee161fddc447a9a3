// SPDX-License-Identifier: GPL-2.0
// General registers by name: what --reg sets and what a dump shows.
#pragma once

#include "kernel/kvm.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmctl {

struct RegisterValue {
  __u64 kvm_regs::*member;
  std::uint64_t value;
};

// "rax=2": a name of 64, 32 or 16 bits (rax, eax, ax; r8 to r15, rip, rflags) and a number that
// fits into it.
Result<RegisterValue> parse_register(std::string_view assignment);

// All of them, each register once.
Result<std::vector<RegisterValue>> parse_registers(std::span<const std::string> assignments);

// Several lines: general registers, segments, control registers.
std::string dump_registers(const kvm_regs& regs, const kvm_sregs& sregs);

}  // namespace vmctl
