// SPDX-License-Identifier: GPL-2.0
#include "console/attach_protocol.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::string_view kTypes = "hoadeilqs";

std::uint16_t word_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<std::uint8_t>(bytes[at]) |
                                    static_cast<std::uint8_t>(bytes[at + 1]) << 8);
}

void append_word(std::string& bytes, std::uint16_t value) {
  bytes += static_cast<char>(value & 0xff);
  bytes += static_cast<char>(value >> 8);
}

Failure refuse(std::string why) {
  return fail({.status = Status::usage, .what = "not a frame", .why = std::move(why)});
}

}  // namespace

std::string encode_frame(FrameType type, std::string_view body) {
  assert(body.size() <= kFrameMax);
  std::string frame{static_cast<char>(type), '\0'};
  append_word(frame, static_cast<std::uint16_t>(body.size()));
  return frame.append(body);
}

std::string encode_size(TerminalSize size) {
  std::string body;
  append_word(body, size.columns);
  append_word(body, size.rows);
  return encode_frame(FrameType::size, body);
}

std::optional<TerminalSize> decode_size(std::string_view body) {
  if (body.size() != 4) return std::nullopt;
  return TerminalSize{.columns = word_at(body, 0), .rows = word_at(body, 2)};
}

void FrameReader::feed(std::span<const std::uint8_t> bytes) {
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Result<std::optional<Frame>> FrameReader::next() {
  if (bytes_.empty()) return std::optional<Frame>();
  if (kTypes.find(bytes_[0]) == std::string_view::npos)
    return refuse(fmt::format("its type is {:#04x}", static_cast<std::uint8_t>(bytes_[0])));
  if (bytes_.size() < kFrameHeader) return std::optional<Frame>();
  if (bytes_[1] != 0)
    return refuse(
        fmt::format("its second byte is {:#04x}, not 0", static_cast<std::uint8_t>(bytes_[1])));
  const std::size_t length = word_at(bytes_, 2);
  if (length > kFrameMax)
    return refuse(fmt::format("{} bytes long, at most {} are allowed", length, kFrameMax));
  if (bytes_.size() < kFrameHeader + length) return std::optional<Frame>();
  Frame frame{.type = static_cast<FrameType>(bytes_[0]),
              .body = bytes_.substr(kFrameHeader, length)};
  bytes_.erase(0, kFrameHeader + length);
  return std::optional(std::move(frame));
}

}  // namespace vmctl
