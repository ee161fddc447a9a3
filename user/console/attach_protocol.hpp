// SPDX-License-Identifier: GPL-2.0
// What vmctl attach and the vmctl load that it attaches to say to each other, over a stream socket:
// frames of a type, a length and so many bytes. The machine begins, with `hello`.
//
//   offset 0  type      one of FrameType
//          1  zero
//          2  length    of what follows, little-endian, at most kFrameMax
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "console/terminal_size.hpp"

namespace vmctl {

inline constexpr std::size_t kFrameMax = 4096;
inline constexpr std::size_t kFrameHeader = 4;
// What `hello` says.
inline constexpr std::string_view kAttachHello = "vmctl attach 1";

enum class FrameType : std::uint8_t {
  // From the machine.
  hello = 'h',   // kAttachHello
  output = 'o',  // bytes of the guest's
  answer = 'a',  // part of what the monitor answers
  done = 'd',    // the end of the answer; "leave": back to the console
  end = 'e',     // how the machine ended; the last frame
  // To the machine.
  input = 'i',  // bytes for the guest
  line = 'l',   // for the monitor
  quit = 'q',   // nothing; end the machine
  size = 's',   // columns and rows of the terminal, each two bytes, little-endian
};

struct Frame {
  FrameType type;
  std::string body;
  bool operator==(const Frame&) const = default;
};

// `body` is at most kFrameMax long.
std::string encode_frame(FrameType type, std::string_view body);
std::string encode_size(TerminalSize size);
// Nothing: the body is none.
std::optional<TerminalSize> decode_size(std::string_view body);

// Takes a stream apart; holds at most one frame and what was fed with it.
class FrameReader {
 public:
  void feed(std::span<const std::uint8_t> bytes);
  // The next whole frame, nothing if it has not all come. usage: this is none, and the stream is of
  // no use any more.
  Result<std::optional<Frame>> next();
  // Bytes that are held.
  std::size_t held() const { return bytes_.size(); }

 private:
  std::string bytes_;
};

}  // namespace vmctl
