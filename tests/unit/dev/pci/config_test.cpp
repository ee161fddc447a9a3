// SPDX-License-Identifier: GPL-2.0
#include "dev/pci/config.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

class PciConfigTest : public testing::Test {
 protected:
  std::uint32_t get(std::size_t offset, std::size_t size = 4) const {
    std::array<std::uint8_t, 4> bytes{};
    const auto part = std::span(bytes).first(size);
    config.read(offset, part);
    return static_cast<std::uint32_t>(little_endian(part));
  }
  void put(std::size_t offset, std::uint32_t value, std::size_t size = 4) {
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> 8 * i);
    config.write(offset, std::span(bytes).first(size));
  }
  PciConfig config{{.vendor = 0x1234,
                    .device = 0x5678,
                    .class_code = 0x010203,
                    .revision = 4,
                    .subsystem_vendor = 0x9abc,
                    .subsystem = 0xdef0}};
};

TEST_F(PciConfigTest, SaysWhatItIsAndKeepsIt) {
  for (std::size_t offset = 0; offset < PciConfig::kSize; offset += 4) put(offset, 0xffffffff);
  EXPECT_EQ(get(0x00), 0x56781234U);
  EXPECT_EQ(get(0x08), 0x01020304U);
  EXPECT_EQ(get(0x0c), 0x0000ffffU) << "cache line size, latency timer; header type 0";
  EXPECT_EQ(get(0x2c), 0xdef09abcU);
  EXPECT_EQ(get(0x06, 2), 0U) << "no capability, nothing to report";
  EXPECT_EQ(get(0x3c), 0U) << "no interrupt";
  for (std::size_t offset = 0x10; offset < 0x28; offset += 4) EXPECT_EQ(get(offset), 0U);
  EXPECT_EQ(get(0x30), 0U) << "no ROM";
  EXPECT_EQ(get(0x34), 0U);
}

TEST_F(PciConfigTest, TheCommandRegisterHasFiveBits) {
  put(0x04, 0xffff, 2);
  EXPECT_EQ(get(0x04, 2), 0x0546U);
  EXPECT_TRUE(config.intx_disabled());
  put(0x05, 0, 1);
  EXPECT_EQ(get(0x04, 2), 0x0046U) << "byte by byte";
  EXPECT_FALSE(config.intx_disabled());
}

TEST_F(PciConfigTest, BarsAreSizedAndMoved) {
  config.add_bar(1, 0x4000);
  config.place_bar(1, 0xc0000000);
  EXPECT_EQ(config.bar_address(1), std::nullopt) << "memory space is off";
  config.enable_memory();
  EXPECT_EQ(config.bar_address(1), 0xc0000000U);
  EXPECT_EQ(config.bar_address(0), std::nullopt);
  EXPECT_EQ(config.bar_size(0), 0U);
  put(0x14, 0xffffffff);
  EXPECT_EQ(get(0x14), 0xffffc000U) << "32 bits, not prefetchable, 16 KiB";
  put(0x14, 0xd1234567);
  EXPECT_EQ(config.bar_address(1), 0xd1234000U);
  put(0x04, 0, 2);
  EXPECT_EQ(config.bar_address(1), std::nullopt);
}

TEST_F(PciConfigTest, CapabilitiesAreAList) {
  const std::array<std::uint8_t, 4> body{1, 2, 3, 4};
  const std::array<std::uint8_t, 4> writable{0, 0xf0, 0, 0};
  EXPECT_EQ(config.add_capability(0x09, body, {}), 0x40);
  EXPECT_EQ(config.add_capability(0x11, body, writable), 0x48) << "at a multiple of four";
  EXPECT_EQ(get(0x06, 2), 0x10U);
  EXPECT_EQ(get(0x34, 1), 0x40U);
  EXPECT_EQ(get(0x40), 0x02014809U);
  EXPECT_EQ(get(0x48), 0x02010011U);
  for (std::size_t offset = 0x40; offset < 0x50; offset += 4) put(offset, 0xffffffff);
  EXPECT_EQ(get(0x40), 0x02014809U);
  EXPECT_EQ(get(0x48), 0xf2010011U);
  EXPECT_EQ(config.word(0x4a), 0xf201);
  EXPECT_EQ(get(0x4c, 2), 0x0403U);
}

TEST_F(PciConfigTest, TheInterruptLineIsSoftwares) {
  config.set_interrupt(11);
  EXPECT_EQ(get(0x3c), 0x010bU);
  put(0x3c, 0xffffffff);
  EXPECT_EQ(get(0x3c), 0x01ffU);
}

}  // namespace
}  // namespace vmctl
