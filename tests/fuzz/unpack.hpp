// SPDX-License-Identifier: GPL-2.0
// What holds whichever library unpacks: a limit, and words for all that is wrong.
#pragma once

#include "load/unpack_stream.hpp"
#include "property.hpp"

namespace vmctl::fuzz {

inline void unpack_with(Result<> (*library)(PackedReader&, UnpackedWriter&),
                        const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kLimit = 1 << 20;
  const MemorySource source({data, size}, "packed");
  PackedReader in(source);
  auto out = UnpackedWriter::create(source, kLimit);
  require(!is_error(out), "there is a file to unpack into");
  const bool failed = is_error(library(in, *out));
  require(out->size() <= kLimit, "no more than the limit is written");
  require(in.offset() <= size, "no more is read than is there");
  if (failed) return;
  require(in.left() == 0, "all of the file was unpacked");
  const std::uint64_t made = out->size();
  const auto image = std::move(*out).seal();
  require(is_error(image) == (made == 0), "what was unpacked is an image");
  if (image) require(image->size() == made, "and all of it");
}

}  // namespace vmctl::fuzz
