// SPDX-License-Identifier: GPL-2.0
#include "load/source.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace vmctl {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
const std::array<std::uint8_t, 6> kBytes{1, 2, 3, 4, 5, 6};

TEST(Source, ReadsToTheLastByte) {
  const MemorySource source(kBytes, "kernel");
  EXPECT_EQ(*read_struct<std::uint32_t>(source, "a", 2), 0x06050403U);
  EXPECT_EQ(read_bytes(source, "b", 1, 5, 5)->back(), 6);
  EXPECT_TRUE(read_bytes(source, "nothing", 6, 0, 0)->empty());
}

TEST(Source, NamesWhatIsMissing) {
  const MemorySource source(kBytes, "kernel");
  const auto beyond = read_struct<std::uint32_t>(source, "e_entry", 3);
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().status, Status::bad_image);
  EXPECT_EQ(beyond.error().where, "kernel, e_entry at offset 0x3");
  EXPECT_EQ(beyond.error().why, "0x4 bytes, and the file ends at 0x6; allowed: at most 0x3 bytes");
}

TEST(Source, NothingWraps) {
  const MemorySource source(kBytes);
  EXPECT_FALSE(read_struct<std::uint32_t>(source, "a", kMax));
  EXPECT_FALSE(read_struct<std::uint32_t>(source, "a", kMax - 3));
  EXPECT_FALSE(check_within(source, "a", 1, kMax));
  EXPECT_FALSE(check_within(source, "a", 7, 0));
  std::array<std::uint8_t, 2> room{};
  EXPECT_FALSE(source.read(5, room));
}

TEST(Source, ALimitComesBeforeTheMemory) {
  const MemorySource source(kBytes);
  const auto large = read_bytes(source, "name", 0, kMax, 64);
  ASSERT_FALSE(large);
  EXPECT_NE(large.error().why.find("allowed: at most 0x40"), std::string::npos);
}

}  // namespace
}  // namespace vmctl
