// SPDX-License-Identifier: GPL-2.0
// Which instruction made an exit: found forwards and backwards in a guest's memory, through page
// tables of four pages.
#include "machine/code.hpp"

#include <array>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kPages = 4;

const GuestMemory& memory() {
  static const GuestMemory four =
      *GuestMemory::create(kPages * kPage, GuestAddr{1 << 20}, GuestAddr{1 << 20});
  return four;
}

// Some pages are swapped, some beyond memory, some not there.
struct Tables {
  std::array<std::uint8_t, kPages> page{};

  std::optional<GuestAddr> operator()(std::uint64_t linear) const {
    if (linear >= kPages * kPage) return std::nullopt;
    const std::uint8_t where = page.at(linear / kPage);
    if ((where & 0x80) != 0) return std::nullopt;
    return GuestAddr{(where % (kPages + 1)) * kPage + linear % kPage};
  }
};

Exit exit_of(Input& input, std::span<std::uint8_t> room, std::uint8_t& refuse) {
  const auto what = input.number<std::uint8_t>();
  const Direction direction = (what & 0x80) != 0 ? Direction::in : Direction::out;
  switch (what % 4) {
    case 0:
      return IoExit{.direction = direction,
                    .size = static_cast<std::uint8_t>(1U << (what >> 2 & 3) % 3),
                    .port = input.number<std::uint8_t>(),
                    .count = 1U + (what >> 6 & 1U),
                    .data = room};
    case 1:
      return MmioExit{.gpa = GuestAddr{input.number<std::uint16_t>()},
                      .direction = direction,
                      .data = room.first(1)};
    case 2:
      return MsrExit{
          .index = 1, .direction = direction, .value = 0, .data = room, .refuse = refuse};
    default:
      return HltExit{};
  }
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::array<std::uint8_t, 8> room{};
  std::uint8_t refuse = 0;
  const Exit exit = exit_of(input, room, refuse);
  CodeState state{};
  const auto mode = input.number<std::uint8_t>();
  state.sregs.cs.l = mode % 3 == 2;
  state.sregs.cs.db = mode % 3 == 1;
  state.sregs.cs.base = (mode & 0x80) != 0 ? 0xffffff00U : (mode & 0x40) != 0 ? 0x10U : 0U;
  state.regs.rip = input.number<std::uint16_t>();
  state.regs.rdi = state.regs.rbx = input.number<std::uint16_t>();
  const AddressSpace space{.translate = Tables{input.number<std::array<std::uint8_t, kPages>>()},
                           .memory = memory()};
  const auto all = memory().regions().front().bytes;
  std::fill(all.begin(), all.end(), std::uint8_t{0xf4});
  // The code lies around rip, where its bytes are.
  const std::string code = input.rest();
  for (std::size_t i = 0; i < code.size(); ++i)
    if (const auto gpa = space.translate(linear_rip(state) - code.size() / 2 + i))
      if (const auto byte = memory().span(*gpa, 1)) (*byte)[0] = static_cast<std::uint8_t>(code[i]);

  const std::uint64_t linear = linear_rip(state);
  for (const std::size_t length : {std::size_t{1}, kInstructionMax, std::size_t{5000}})
    require(read_code(space, linear, length).size() <= length, "no more is read than wanted");

  const auto here = instruction_at_rip(space, state);
  require(!here || here->address == state.regs.rip, "the instruction at rip is there");
  const auto made = instruction_of(space, state, exit);
  if (!made) return 0;
  require(is_safe(made->text) && !made->text.empty(), "an instruction can be shown");
  require(made->length > 0 && made->length <= kInstructionMax, "and is not too long");
  require(made->address == state.regs.rip || made->address + made->length == state.regs.rip,
          "it is at rip or ends there");
  return 0;
}
