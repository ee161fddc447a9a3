// SPDX-License-Identifier: GPL-2.0
#include "dev/pm_timer.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/bytes.hpp"
#include "dev/fake_clock.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

class PmTimerTest : public testing::Test {
 protected:
  template <std::size_t N>
  std::uint64_t read(std::uint64_t offset) {
    std::array<std::uint8_t, N> data{};
    data.fill(0xcc);
    timer.read(offset, data);
    return little_endian(data);
  }
  std::uint64_t at(Time time) {
    clock.time = time;
    return read<4>(0);
  }
  test::FakeClock clock;
  PmTimer timer{clock};
};

TEST_F(PmTimerTest, CountsItsFrequency) {
  EXPECT_EQ(at(0ns), 0U);
  EXPECT_EQ(at(279ns), 0U);
  EXPECT_EQ(at(280ns), 1U);  // 279.365 ns each
  EXPECT_EQ(at(1s - 1ns), 3579544U);
  EXPECT_EQ(at(1s), 3579545U);
  EXPECT_EQ(at(2s), 7159090U);
}

TEST_F(PmTimerTest, WrapsAt24Bits) {
  // 2^24 ticks take 4.686969 s.
  EXPECT_EQ(at(4686968874ns), 0xffffffU);
  EXPECT_EQ(at(4686968875ns), 0U);
  EXPECT_EQ(at(5s), 17897725U - 0x1000000U);
}

TEST_F(PmTimerTest, IsExactAfterCenturies) {
  constexpr std::uint64_t kSeconds = 9'000'000'000;  // 285 years
  EXPECT_EQ(at(std::chrono::seconds(kSeconds)), kSeconds * 3579545 % 0x1000000);
  EXPECT_EQ(at(std::chrono::seconds(kSeconds) + 280ns), (kSeconds * 3579545 + 1) % 0x1000000);
}

TEST_F(PmTimerTest, AnyWidthAtAnyOffset) {
  clock.time = 1s;  // 0x369e99
  EXPECT_EQ(read<1>(0), 0x99U);
  EXPECT_EQ(read<1>(1), 0x9eU);
  EXPECT_EQ(read<1>(2), 0x36U);
  EXPECT_EQ(read<1>(3), 0x00U);
  EXPECT_EQ(read<2>(1), 0x369eU);
  EXPECT_EQ(read<2>(3), 0xff00U);  // none of it is left undefined
}

TEST_F(PmTimerTest, WritesAreLost) {
  clock.time = 1s;
  timer.write(0, std::array<std::uint8_t, 4>{1, 2, 3, 4});
  EXPECT_EQ(read<4>(0), 3579545U);
}

}  // namespace
}  // namespace vmctl
