// SPDX-License-Identifier: GPL-2.0
#include "machine/disassembly.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>

#include "machine/capstone_library.hpp"

namespace vmctl {
namespace {

static_assert(std::is_same_v<csh, std::size_t>);

cs_mode mode_of(CodeSize size) {
  if (size == CodeSize::bits16) return CS_MODE_16;
  return size == CodeSize::bits32 ? CS_MODE_32 : CS_MODE_64;
}

struct AddressRegister {
  x86_reg r64;
  x86_reg r32;
  x86_reg r16;
  __u64 kvm_regs::*member;
};

constexpr auto kAddressRegisters = std::to_array<AddressRegister>({
    {X86_REG_RAX, X86_REG_EAX, X86_REG_AX, &kvm_regs::rax},
    {X86_REG_RBX, X86_REG_EBX, X86_REG_BX, &kvm_regs::rbx},
    {X86_REG_RCX, X86_REG_ECX, X86_REG_CX, &kvm_regs::rcx},
    {X86_REG_RDX, X86_REG_EDX, X86_REG_DX, &kvm_regs::rdx},
    {X86_REG_RSI, X86_REG_ESI, X86_REG_SI, &kvm_regs::rsi},
    {X86_REG_RDI, X86_REG_EDI, X86_REG_DI, &kvm_regs::rdi},
    {X86_REG_RBP, X86_REG_EBP, X86_REG_BP, &kvm_regs::rbp},
    {X86_REG_RSP, X86_REG_ESP, X86_REG_SP, &kvm_regs::rsp},
    {X86_REG_R8, X86_REG_R8D, X86_REG_R8W, &kvm_regs::r8},
    {X86_REG_R9, X86_REG_R9D, X86_REG_R9W, &kvm_regs::r9},
    {X86_REG_R10, X86_REG_R10D, X86_REG_R10W, &kvm_regs::r10},
    {X86_REG_R11, X86_REG_R11D, X86_REG_R11W, &kvm_regs::r11},
    {X86_REG_R12, X86_REG_R12D, X86_REG_R12W, &kvm_regs::r12},
    {X86_REG_R13, X86_REG_R13D, X86_REG_R13W, &kvm_regs::r13},
    {X86_REG_R14, X86_REG_R14D, X86_REG_R14W, &kvm_regs::r14},
    {X86_REG_R15, X86_REG_R15D, X86_REG_R15W, &kvm_regs::r15},
});

std::uint64_t value_of(x86_reg reg, const kvm_regs& regs, std::uint64_t next) {
  if (reg == X86_REG_RIP || reg == X86_REG_EIP) return next;
  for (const AddressRegister& known : kAddressRegisters) {
    if (reg == known.r64) return regs.*known.member;
    if (reg == known.r32) return regs.*known.member & 0xffffffff;
    if (reg == known.r16) return regs.*known.member & 0xffff;
  }
  return 0;  // no register
}

const kvm_segment& segment_of(const x86_op_mem& memory, const kvm_sregs& sregs) {
  switch (memory.segment) {
    case X86_REG_CS:
      return sregs.cs;
    case X86_REG_ES:
      return sregs.es;
    case X86_REG_FS:
      return sregs.fs;
    case X86_REG_GS:
      return sregs.gs;
    case X86_REG_SS:
      return sregs.ss;
    case X86_REG_DS:
      return sregs.ds;
    default:
      break;
  }
  const auto base = memory.base;
  const bool stack = base == X86_REG_RSP || base == X86_REG_ESP || base == X86_REG_SP ||
                     base == X86_REG_RBP || base == X86_REG_EBP || base == X86_REG_BP;
  return stack ? sregs.ss : sregs.ds;
}

std::uint64_t linear_address(const cs_x86& x86, const x86_op_mem& memory, const CodeState& state,
                             std::uint64_t next) {
  std::uint64_t offset =
      value_of(memory.base, state.regs, next) +
      value_of(memory.index, state.regs, next) * static_cast<std::uint64_t>(memory.scale) +
      static_cast<std::uint64_t>(memory.disp);
  if (x86.addr_size < 8) offset &= (1ULL << 8 * x86.addr_size) - 1;
  const std::uint64_t linear = segment_of(memory, state.sregs).base + offset;
  return code_size(state.sregs) == CodeSize::bits64 ? linear : linear & 0xffffffff;
}

bool is_string_store(unsigned id) {
  constexpr std::array kStores{X86_INS_MOVSB, X86_INS_MOVSW, X86_INS_MOVSD, X86_INS_MOVSQ,
                               X86_INS_STOSB, X86_INS_STOSW, X86_INS_STOSD, X86_INS_STOSQ};
  return std::find(kStores.begin(), kStores.end(), id) != kStores.end();
}

bool stores(const cs_insn& insn, const CodeState& state,
            const std::function<bool(std::uint64_t)>& is_there) {
  if (is_string_store(insn.id)) return true;
  const cs_x86& x86 = insn.detail->x86;
  return std::any_of(x86.operands, x86.operands + x86.op_count, [&](const cs_x86_op& operand) {
    return operand.type == X86_OP_MEM && (operand.access & CS_AC_WRITE) != 0 &&
           is_there(linear_address(x86, operand.mem, state, insn.address + insn.size));
  });
}

}  // namespace

CodeSize code_size(const kvm_sregs& sregs) {
  if (sregs.cs.l != 0) return CodeSize::bits64;
  return sregs.cs.db != 0 ? CodeSize::bits32 : CodeSize::bits16;
}

void Disassembler::Closer::operator()(std::size_t* handle) const {
  const std::unique_ptr<std::size_t> owned(handle);
  cs_close(handle);
}

Disassembler::Disassembler(CodeSize size) {
  csh handle = 0;
  if (cs_open(CS_ARCH_X86, mode_of(size), &handle) != CS_ERR_OK)
    throw std::runtime_error("capstone cannot be opened");
  handle_.reset(std::make_unique<std::size_t>(handle).release());
  cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);

  // With its first instruction capstone 4 sorts a table that all handles share, without a lock.
  static std::once_flag sorted;
  std::call_once(sorted, [&] {
    constexpr std::array<std::uint8_t, 1> kOut{0xee};
    (void)first(kOut, 0);
  });
}

template <class Use>
bool Disassembler::decode(std::span<const std::uint8_t> code, std::uint64_t address,
                          Use use) const {
  cs_insn* insn = nullptr;
  const std::size_t count = cs_disasm(*handle_, code.data(), code.size(), address, 1, &insn);
  if (count == 0) return false;
  const std::unique_ptr<cs_insn, void (*)(cs_insn*)> owned(insn,
                                                           [](cs_insn* one) { cs_free(one, 1); });
  use(*owned);
  return true;
}

std::optional<Instruction> Disassembler::first(std::span<const std::uint8_t> code,
                                               std::uint64_t address) const {
  Instruction instruction{};
  const bool found = decode(code, address, [&](const cs_insn& insn) {
    const std::string_view operands = &insn.op_str[0];
    instruction = {
        .address = insn.address,
        .length = insn.size,
        .text = fmt::format("{}{}{}", &insn.mnemonic[0], operands.empty() ? "" : " ", operands)};
  });
  return found ? std::optional(instruction) : std::nullopt;
}

std::optional<std::size_t> Disassembler::store_to(
    std::span<const std::uint8_t> code, std::uint64_t address, const CodeState& state,
    const std::function<bool(std::uint64_t)>& is_there) const {
  std::optional<std::size_t> length;
  decode(code, address, [&](const cs_insn& insn) {
    if (stores(insn, state, is_there)) length = insn.size;
  });
  return length;
}

std::optional<std::size_t> port_access(std::span<const std::uint8_t> code, CodeSize size,
                                       const IoExit& io) {
  bool word = size == CodeSize::bits16;
  std::size_t at = 0;
  for (; at < code.size() && at < 4; ++at) {
    constexpr std::array<std::uint8_t, 9> kPrefixes{0x67, 0xf2, 0xf3, 0x26, 0x2e,
                                                    0x36, 0x3e, 0x64, 0x65};
    const std::uint8_t byte = code[at];
    const bool rex = size == CodeSize::bits64 && (byte & 0xf0) == 0x40;
    if (byte == 0x66)
      word = size != CodeSize::bits16;
    else if (!rex && std::find(kPrefixes.begin(), kPrefixes.end(), byte) == kPrefixes.end())
      break;
  }
  if (at >= code.size()) return std::nullopt;
  const std::uint8_t opcode = code[at++];
  // 6c-6f: ins, outs; e4-e7: in, out with the port behind; ec-ef: with the port in dx. Bit 1 is
  // the direction, bit 0 says that it is more than a byte.
  const bool string = (opcode & 0xfc) == 0x6c;
  const bool immediate = (opcode & 0xfc) == 0xe4;
  if (!string && !immediate && (opcode & 0xfc) != 0xec) return std::nullopt;
  const unsigned width = (opcode & 1) == 0 ? 1 : word ? 2 : 4;
  if (width != io.size || ((opcode & 2) != 0) != (io.direction == Direction::out))
    return std::nullopt;
  if (!string && io.count != 1) return std::nullopt;
  if (immediate && (at >= code.size() || code[at++] != io.port)) return std::nullopt;
  return at;
}

}  // namespace vmctl
