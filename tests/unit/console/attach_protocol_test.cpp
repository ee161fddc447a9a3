// SPDX-License-Identifier: GPL-2.0
#include "console/attach_protocol.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

void feed(FrameReader& reader, std::string_view bytes) {
  reader.feed({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

TEST(AttachProtocol, AFrameIsWhatItWas) {
  FrameReader reader;
  const std::string longest(kFrameMax, '\xff');
  feed(reader, encode_frame(FrameType::input, "ab\n") + encode_frame(FrameType::quit, "") +
                   encode_frame(FrameType::output, longest));
  EXPECT_EQ(**reader.next(), (Frame{FrameType::input, "ab\n"}));
  EXPECT_EQ(**reader.next(), (Frame{FrameType::quit, ""}));
  EXPECT_EQ(**reader.next(), (Frame{FrameType::output, longest}));
  EXPECT_EQ(*reader.next(), std::nullopt);
}

TEST(AttachProtocol, AFrameComesInAnyPieces) {
  const std::string bytes = encode_frame(FrameType::line, "info");
  FrameReader reader;
  for (const char byte : bytes) {
    ASSERT_EQ(*reader.next(), std::nullopt);
    feed(reader, {&byte, 1});
  }
  EXPECT_EQ((**reader.next()).body, "info");
}

TEST(AttachProtocol, WhatIsNoFrameIsSaid) {
  const auto why = [](std::string_view bytes) {
    FrameReader reader;
    feed(reader, bytes);
    const auto frame = reader.next();
    return frame ? "" : frame.error().why;
  };
  EXPECT_EQ(why("z"), "its type is 0x7a");
  EXPECT_EQ(why(std::string_view("i\1\0\0", 4)), "its second byte is 0x01, not 0");
  EXPECT_EQ(why(std::string_view("i\0\1\x10", 4)), "4097 bytes long, at most 4096 are allowed");
}

TEST(AttachProtocol, ASizeIsFourBytes) {
  FrameReader reader;
  feed(reader, encode_size({.columns = 300, .rows = 24}));
  const auto frame = **reader.next();
  EXPECT_EQ(decode_size(frame.body), (TerminalSize{.columns = 300, .rows = 24}));
  EXPECT_EQ(decode_size("abc"), std::nullopt);
  EXPECT_EQ(decode_size("abcde"), std::nullopt);
}

}  // namespace
}  // namespace vmctl
