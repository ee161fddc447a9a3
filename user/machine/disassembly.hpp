// SPDX-License-Identifier: GPL-2.0
// Guest code as text, in Intel's syntax.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "kernel/kvm.hpp"
#include "vm/exit.hpp"

namespace vmctl {

enum class CodeSize : std::uint8_t { bits16, bits32, bits64 };

// By cs.l and cs.d (Intel SDM 3A, 3.4.5); real mode is 16 bits.
CodeSize code_size(const kvm_sregs& sregs);

struct Instruction {
  std::uint64_t address;  // its rip
  std::size_t length;
  std::string text;
};

// The registers that an instruction's addresses are made of.
struct CodeState {
  kvm_regs regs;
  kvm_sregs sregs;
};

class Disassembler {
 public:
  explicit Disassembler(CodeSize size);

  // The first instruction; nothing if the bytes are none.
  std::optional<Instruction> first(std::span<const std::uint8_t> code, std::uint64_t address) const;

  // Length of the first instruction if it writes memory at a linear address that `is_there` says
  // yes to, or is a string instruction, whose registers have moved on.
  std::optional<std::size_t> store_to(std::span<const std::uint8_t> code, std::uint64_t address,
                                      const CodeState& state,
                                      const std::function<bool(std::uint64_t)>& is_there) const;

 private:
  struct Closer {
    void operator()(std::size_t* handle) const;
  };
  // Calls `use` with the instruction that the bytes begin with.
  template <class Use>
  bool decode(std::span<const std::uint8_t> code, std::uint64_t address, Use use) const;

  std::unique_ptr<std::size_t, Closer> handle_;  // capstone's csh
};

// Length of the first instruction if it is the port access of this exit.
std::optional<std::size_t> port_access(std::span<const std::uint8_t> code, CodeSize size,
                                       const IoExit& io);

}  // namespace vmctl
