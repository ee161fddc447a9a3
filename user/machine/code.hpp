// SPDX-License-Identifier: GPL-2.0
// The guest's code around an address, and which instruction of it made an exit.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "bus/memory.hpp"
#include "machine/disassembly.hpp"
#include "vm/exit.hpp"
#include "vm/vcpu.hpp"

namespace vmctl {

inline constexpr std::size_t kInstructionMax = 15;

// Where a vCPU's linear addresses lead to.
struct AddressSpace {
  // The guest physical address; nothing where the guest has no page for it.
  std::function<std::optional<GuestAddr>(std::uint64_t linear)> translate;
  const GuestMemory& memory;
};

// Both must outlive it.
AddressSpace address_space(const Vcpu& vcpu, const GuestMemory& memory);

// Where rip points to, with the code segment's base where that counts.
std::uint64_t linear_rip(const CodeState& state);

// Up to `length` bytes from a linear address on, as far as they are mapped and memory.
std::vector<std::uint8_t> read_code(const AddressSpace& space, std::uint64_t linear,
                                    std::size_t length);

// The instruction at rip.
std::optional<Instruction> instruction_at_rip(const AddressSpace& space, const CodeState& state);

// The instruction that made the exit. KVM leaves rip on it, or has already gone on to the next:
// then it is the one before that does what the exit says. Nothing if none does.
std::optional<Instruction> instruction_of(const AddressSpace& space, const CodeState& state,
                                          const Exit& exit);

}  // namespace vmctl
