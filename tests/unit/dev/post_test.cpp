// SPDX-License-Identifier: GPL-2.0
#include "dev/post.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dev/ports.hpp"

namespace vmctl {
namespace {

TEST(PostCode, TellsEachAndReadsBackTheLast) {
  std::vector<unsigned> codes;
  PostCode device([&](std::uint8_t code) { codes.push_back(code); });
  EXPECT_EQ(test::in(device, 0), 0);
  test::out(device, 0, 0x12);
  device.write_string(0, 1, std::array<std::uint8_t, 2>{0x34, 0xff});
  EXPECT_EQ(codes, (std::vector<unsigned>{0x12, 0x34, 0xff}));
  std::array<std::uint8_t, 2> read{};
  device.read(0, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 2>{0xff, 0xff}));
}

TEST(PostCode, NobodyNeedsToListen) {
  PostCode device(nullptr);
  test::out(device, 0, 7);
  EXPECT_EQ(test::in(device, 0), 7);
}

}  // namespace
}  // namespace vmctl
