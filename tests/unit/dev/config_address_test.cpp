// SPDX-License-Identifier: GPL-2.0
#include "dev/config_address.hpp"

#include <gtest/gtest.h>

#include <array>

#include "bus/bus.hpp"
#include "dev/reset.hpp"

namespace vmctl {
namespace {

class ConfigAddressTest : public testing::Test {
 protected:
  ConfigAddressTest() {
    EXPECT_TRUE(bus.claim(0xcf8, ConfigAddress::kSize, "address", address, kUpToDwords));
  }
  template <class... Bytes>
  void out(std::uint64_t port, Bytes... bytes) {
    const std::array<std::uint8_t, sizeof...(bytes)> data{static_cast<std::uint8_t>(bytes)...};
    bus.write(port, data.size(), data);
  }
  template <std::size_t N>
  std::array<std::uint8_t, N> in(std::uint64_t port) {
    std::array<std::uint8_t, N> data{};
    bus.read(port, N, data);
    return data;
  }
  int resets = 0;
  ResetControl reset{[this] { ++resets; }};
  ConfigAddress address{reset};
  Bus bus;
};

TEST_F(ConfigAddressTest, AWordOfFourBytesIsAnAddressAndNoReset) {
  out(0xcf8, 0x00, 0x04, 0x00, 0x80);
  EXPECT_EQ(resets, 0);
  EXPECT_EQ(in<4>(0xcf8), (std::array<std::uint8_t, 4>{0x00, 0x04, 0x00, 0x80}));
  out(0xcf8, 0xff, 0xff, 0xff, 0xff);
  EXPECT_EQ(in<4>(0xcf8), (std::array<std::uint8_t, 4>{0xfc, 0xff, 0xff, 0x80}));
}

TEST_F(ConfigAddressTest, AByteBehindItResets) {
  out(0xcf9, 0x02);
  EXPECT_EQ(in<1>(0xcf9)[0], 0x02);
  EXPECT_EQ(resets, 0);
  out(0xcf9, 0x06);
  EXPECT_EQ(resets, 1);
}

TEST_F(ConfigAddressTest, AllElseIsNobodys) {
  out(0xcf8, 0x06);
  out(0xcfa, 0x06);
  out(0xcfb, 0x06);
  out(0xcf8, 0x06, 0x06);
  out(0xcf9, 0x06, 0x06);
  out(0xcfa, 0x06, 0x06);
  out(0xcf9, 0x06, 0x06, 0x06, 0x06);
  EXPECT_EQ(resets, 0);
  EXPECT_EQ(in<4>(0xcf8), (std::array<std::uint8_t, 4>{}));
  EXPECT_EQ(in<1>(0xcf8)[0], 0xff);
  EXPECT_EQ(in<2>(0xcf8), (std::array<std::uint8_t, 2>{0xff, 0xff}));
}

}  // namespace
}  // namespace vmctl
