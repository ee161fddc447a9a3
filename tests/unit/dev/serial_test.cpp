// SPDX-License-Identifier: GPL-2.0
#include "dev/serial.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace vmctl {
namespace {

class Collect final : public Sink {
 public:
  void put(std::span<const std::uint8_t> bytes) override {
    text.append(bytes.begin(), bytes.end());
  }
  std::string text;
};

class SerialTest : public testing::Test {
 protected:
  std::uint8_t in(std::uint64_t offset) {
    std::array<std::uint8_t, 1> byte{0xcc};
    serial.read(offset, byte);
    return byte[0];
  }
  void out(std::uint64_t offset, std::uint8_t value) {
    serial.write(offset, std::array<std::uint8_t, 1>{value});
  }
  Collect sink;
  Serial serial{sink};
};

TEST_F(SerialTest, WhatIsWrittenToThrIsSent) {
  for (const char c : {'4', '\n', '\0', '\xff'}) out(0, static_cast<std::uint8_t>(c));
  EXPECT_EQ(sink.text, std::string("4\n\0\xff", 4));
}

TEST_F(SerialTest, AlwaysReadyToSend) {
  EXPECT_EQ(in(5), 0x60);  // THRE and TEMT, nothing received, no error
  out(0, 'x');
  EXPECT_EQ(in(5), 0x60);
  out(5, 0x00);  // not writable
  EXPECT_EQ(in(5), 0x60);
}

TEST_F(SerialTest, DivisorLatchHidesDataAndInterruptEnable) {
  out(1, 0x05);
  out(3, 0x83);
  out(0, 0x0c);
  out(1, 0x01);
  EXPECT_EQ(in(0), 0x0c);
  EXPECT_EQ(in(1), 0x01);
  out(3, 0x03);
  EXPECT_EQ(in(0), 0x00);
  EXPECT_EQ(in(1), 0x05);
  EXPECT_EQ(in(3), 0x03);
  EXPECT_EQ(sink.text, "");
}

TEST_F(SerialTest, TransmitInterruptIsIdentifiedOnce) {
  EXPECT_EQ(in(2), 0x01);
  out(1, 0x02);  // enabled while empty: pending at once
  EXPECT_EQ(in(2), 0x02);
  EXPECT_EQ(in(2), 0x01);  // reading it has acknowledged it
  out(0, 'x');
  EXPECT_EQ(in(2), 0x02);
  out(1, 0x00);
  out(0, 'x');
  EXPECT_EQ(in(2), 0x01);  // not enabled
}

TEST_F(SerialTest, FifosShowInInterruptId) {
  out(2, 0x01);
  EXPECT_EQ(in(2), 0xc1);
  out(2, 0x00);
  EXPECT_EQ(in(2), 0x01);
}

TEST_F(SerialTest, ReservedBitsReadZero) {
  out(1, 0xff);
  EXPECT_EQ(in(1), 0x0f);
  out(4, 0xff);
  EXPECT_EQ(in(4), 0x1f);
}

TEST_F(SerialTest, ModemLinesAreUpAndLoopBack) {
  EXPECT_EQ(in(6), 0xb0);  // DCD, DSR, CTS
  out(4, 0x10);
  EXPECT_EQ(in(6), 0x00);
  out(4, 0x11);  // DTR to DSR
  EXPECT_EQ(in(6), 0x20);
  out(4, 0x12);  // RTS to CTS
  EXPECT_EQ(in(6), 0x10);
  out(4, 0x14);  // OUT1 to RI
  EXPECT_EQ(in(6), 0x40);
  out(4, 0x18);  // OUT2 to DCD
  EXPECT_EQ(in(6), 0x80);
  out(0, 'x');
  EXPECT_EQ(sink.text, "");  // does not leave the chip
}

TEST_F(SerialTest, Scratch) {
  out(7, 0xa5);
  EXPECT_EQ(in(7), 0xa5);
}

TEST_F(SerialTest, WideAccessesGoToConsecutiveRegisters) {
  out(3, 0x80);
  serial.write(0, std::array<std::uint8_t, 2>{0x34, 0x12});
  EXPECT_EQ(in(0), 0x34);
  EXPECT_EQ(in(1), 0x12);
  std::array<std::uint8_t, 4> read{};
  serial.read(4, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 4>{0x00, 0x60, 0xb0, 0x00}));
}

}  // namespace
}  // namespace vmctl
