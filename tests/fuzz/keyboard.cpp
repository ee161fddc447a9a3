// SPDX-License-Identifier: GPL-2.0
// What is typed at a console, with its escapes: the first byte says in what pieces it comes.
#include "console/keyboard.hpp"

#include <algorithm>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

struct Outcome {
  std::string typed;
  std::string lines;
  std::size_t ways_out = 0;
  bool operator==(const Outcome&) const = default;
};

void take(Outcome& outcome, Keyboard& keyboard, const std::vector<Keyboard::Action>& actions) {
  for (const Keyboard::Action& action : actions) {
    if (const auto* typed = std::get_if<Keyboard::Type>(&action)) {
      require(!typed->bytes.empty(), "nothing typed is no action");
      outcome.typed += typed->bytes;
    } else if (const auto* line = std::get_if<Keyboard::Line>(&action)) {
      require(is_safe(line->text), "the monitor gets printable lines");
      require(line->text.size() <= 256, "of a length that has a bound");
      outcome.lines += line->text + "\n";
      take(outcome, keyboard, keyboard.answered("answer\r\n", false));
    } else if (!std::holds_alternative<Keyboard::Show>(action)) {
      ++outcome.ways_out;
    }
  }
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const std::size_t piece = 1 + input.number<std::uint8_t>();
  const std::string keys = input.rest();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(keys.data()), keys.size());

  Outcome pieces;
  Keyboard keyboard;
  for (auto left = bytes; !left.empty(); left = left.subspan(std::min(piece, left.size())))
    take(pieces, keyboard, keyboard.feed(left.first(std::min(piece, left.size()))));
  Outcome single;
  Keyboard other;
  for (const std::uint8_t key : bytes) take(single, other, other.feed({&key, 1}));

  require(pieces.typed.size() <= keys.size(), "no more is typed than was");
  // With lines, what comes behind one in a piece waits for the answer, and may be cut.
  if (pieces.lines.empty() && single.lines.empty())
    require(pieces == single, "pieces make no difference");
  if (keys.find('\x01') == std::string::npos)
    require(single.typed == keys && single.lines.empty() && single.ways_out == 0,
            "without an escape all is the guest's");
  return 0;
}
