// SPDX-License-Identifier: GPL-2.0
#include "machine/code.hpp"

#include <algorithm>

namespace vmctl {
namespace {

constexpr std::uint64_t kPageSize = 4096;

bool begins_with(std::span<const std::uint8_t> code, std::initializer_list<std::uint8_t> bytes) {
  return code.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), code.begin());
}

// Length of the first instruction if it may have made the exit.
struct Matches {
  std::span<const std::uint8_t> code;
  std::uint64_t address;
  const CodeState& state;
  const AddressSpace& space;
  const Disassembler& disassembler;

  std::optional<std::size_t> operator()(const IoExit& io) const {
    return port_access(code, code_size(state.sregs), io);
  }
  std::optional<std::size_t> operator()(const MsrExit& msr) const {
    const bool read = msr.direction == Direction::in;
    if (begins_with(code, {0x0f, static_cast<std::uint8_t>(read ? 0x32 : 0x30)})) return 2;
    return std::nullopt;
  }
  std::optional<std::size_t> operator()(const HltExit&) const {
    if (begins_with(code, {0xf4})) return 1;
    return std::nullopt;
  }
  std::optional<std::size_t> operator()(const MmioExit& mmio) const {
    if (mmio.direction == Direction::in) return std::nullopt;  // rip is still on it
    return disassembler.store_to(code, address, state, [&](std::uint64_t linear) {
      const auto gpa = space.translate(linear);
      return gpa && gpa->value == mmio.gpa.value;
    });
  }
  template <class Other>
  std::optional<std::size_t> operator()(const Other& /*exit*/) const {
    return std::nullopt;
  }
};

}  // namespace

AddressSpace address_space(const Vcpu& vcpu, const GuestMemory& memory) {
  return {.translate = [&vcpu](std::uint64_t linear) { return vcpu.translate(linear); },
          .memory = memory};
}

std::uint64_t linear_rip(const CodeState& state) {
  return code_size(state.sregs) == CodeSize::bits64
             ? state.regs.rip
             : (state.sregs.cs.base + state.regs.rip) & 0xffffffff;
}

std::vector<std::uint8_t> read_code(const AddressSpace& space, std::uint64_t linear,
                                    std::size_t length) {
  std::vector<std::uint8_t> code;
  while (code.size() < length) {
    const std::uint64_t at = linear + code.size();
    const std::uint64_t piece =
        std::min<std::uint64_t>(length - code.size(), kPageSize - at % kPageSize);
    const auto gpa = space.translate(at);
    const auto bytes = gpa ? space.memory.span(*gpa, piece) : fail({});
    if (!bytes) break;
    code.insert(code.end(), bytes->begin(), bytes->end());
  }
  return code;
}

std::optional<Instruction> instruction_at_rip(const AddressSpace& space, const CodeState& state) {
  const auto code = read_code(space, linear_rip(state), kInstructionMax);
  return Disassembler(code_size(state.sregs)).first(code, state.regs.rip);
}

std::optional<Instruction> instruction_of(const AddressSpace& space, const CodeState& state,
                                          const Exit& exit) {
  const Disassembler disassembler(code_size(state.sregs));
  const std::uint64_t rip = state.regs.rip;
  const std::uint64_t linear = linear_rip(state);
  const auto matches = [&](std::span<const std::uint8_t> code, std::uint64_t address) {
    return std::visit(Matches{code, address, state, space, disassembler}, exit);
  };

  const auto here = read_code(space, linear, kInstructionMax);
  const auto* mmio = std::get_if<MmioExit>(&exit);
  if ((mmio != nullptr && mmio->direction == Direction::in) || matches(here, rip))
    return disassembler.first(here, rip);

  // The longest: a shorter one would leave its prefixes out.
  for (std::uint64_t length = std::min<std::uint64_t>(kInstructionMax, rip); length > 0; --length) {
    const auto before = read_code(space, linear - length, length);
    if (before.size() == length && matches(before, rip - length) == length)
      return disassembler.first(before, rip - length);
  }
  return std::nullopt;
}

}  // namespace vmctl
