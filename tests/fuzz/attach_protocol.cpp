// SPDX-License-Identifier: GPL-2.0
// What somebody sends who attaches: the first byte says in what pieces it comes.
#include "console/attach_protocol.hpp"

#include <algorithm>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

struct Outcome {
  std::string again;  // what was understood, encoded anew
  bool bad = false;
  bool operator==(const Outcome&) const = default;
};

Outcome read(std::span<const std::uint8_t> bytes, std::size_t piece) {
  Outcome outcome;
  FrameReader reader;
  for (; !bytes.empty() && !outcome.bad; bytes = bytes.subspan(std::min(piece, bytes.size()))) {
    reader.feed(bytes.first(std::min(piece, bytes.size())));
    while (true) {
      const auto frame = reader.next();
      outcome.bad = is_error(frame);
      if (outcome.bad || !*frame) break;
      const FrameType type = (*frame)->type;
      require((*frame)->body.size() <= kFrameMax, "a frame has a bound");
      outcome.again += encode_frame(type, (*frame)->body);
      if (type != FrameType::size) continue;
      if (const auto size = decode_size((*frame)->body))
        require(encode_size(*size) == encode_frame(type, (*frame)->body),
                "a size is what was said");
    }
    require(outcome.bad || reader.held() < kFrameHeader + kFrameMax, "less than a frame is held");
  }
  return outcome;
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  const std::size_t piece = 1 + input.number<std::uint8_t>();
  const std::string stream = input.rest();
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(stream.data()), stream.size());
  const Outcome outcome = read(bytes, piece);
  require(stream.starts_with(outcome.again), "frames are what was sent");
  require(read(bytes, 1) == outcome, "pieces make no difference");
  return 0;
}
