// SPDX-License-Identifier: GPL-2.0
#include "dev/serial.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "dev/collect.hpp"
#include "dev/fake_line.hpp"
#include "dev/ports.hpp"

namespace vmctl {
namespace {

// Registers, and what IIR says.
enum : std::uint64_t { kData, kIer, kIir, kLcr, kMcr, kLsr, kMsr, kScr, kFcr = kIir };
enum : unsigned { kModem = 0x0, kNone = 0x1, kThrEmpty = 0x2, kReceived = 0x4, kStatus = 0x6 };
constexpr unsigned kTimeout = 0xc;
constexpr unsigned kFifos = 0xc0;
constexpr unsigned kLoopback = 0x10;

class SerialTest : public testing::Test {
 protected:
  SerialTest() {
    serial.on_room([this] {
      ++rooms;
      serial.receive_room();  // hangs if the lock were held
    });
  }
  unsigned in(std::uint64_t offset) { return test::in(serial, offset); }
  void out(std::uint64_t offset, unsigned value) { test::out(serial, offset, value); }
  std::size_t receive(std::string_view text) {
    const std::vector<std::uint8_t> bytes(text.begin(), text.end());
    return serial.receive(bytes);
  }
  std::string drain() {
    std::string text;
    while ((in(kLsr)&0x01) != 0) text += static_cast<char>(in(kData));
    return text;
  }
  test::Collect sink;
  test::FakeLine line;
  Serial serial{sink, line};
  int rooms = 0;
};

TEST_F(SerialTest, WhatIsWrittenToThrIsSent) {
  for (const char c : {'4', '\n', '\0', '\xff'}) out(kData, static_cast<std::uint8_t>(c));
  EXPECT_EQ(sink.text, std::string("4\n\0\xff", 4));
}

TEST_F(SerialTest, AStringIsSentInOnePiece) {
  const std::string text(100, 'x');
  out(kIer, 0x02);
  serial.write_string(kData, 1, std::vector<std::uint8_t>(text.begin(), text.end()));
  EXPECT_EQ(sink.text, text);
  EXPECT_EQ(sink.puts, 1);
  EXPECT_EQ(in(kIir), kThrEmpty);
  serial.write_string(kData, 1, {});
  EXPECT_EQ(sink.puts, 1);
  EXPECT_EQ(in(kIir), kNone);
}

TEST_F(SerialTest, StringsToOtherRegisters) {
  serial.write_string(kScr, 1, std::array<std::uint8_t, 3>{1, 2, 3});
  EXPECT_EQ(in(kScr), 3U);
  out(kLcr, 0x80);
  serial.write_string(kData, 1, std::array<std::uint8_t, 3>{1, 2, 3});
  EXPECT_EQ(in(kData), 3U);
  serial.write_string(kData, 2, std::array<std::uint8_t, 4>{1, 2, 4, 5});
  EXPECT_EQ(in(kData), 4U);
  EXPECT_EQ(in(kIer), 5U);
  EXPECT_EQ(sink.puts, 0);
}

TEST_F(SerialTest, AlwaysReadyToSend) {
  EXPECT_EQ(in(kLsr), 0x60U);  // THRE and TEMT, nothing received, no error
  out(kData, 'x');
  EXPECT_EQ(in(kLsr), 0x60U);
  out(kLsr, 0x00);  // not writable
  EXPECT_EQ(in(kLsr), 0x60U);
  EXPECT_EQ(in(kData), 0U);  // nor is there anything to read
}

TEST_F(SerialTest, DivisorLatchHidesDataAndInterruptEnable) {
  out(kIer, 0x05);
  out(kLcr, 0x83);
  EXPECT_EQ(in(kData), 12U);  // 9600 baud
  EXPECT_EQ(in(kIer), 0U);
  out(kData, 0x34);
  out(kIer, 0x12);
  receive("a");
  EXPECT_EQ(in(kData), 0x34U);
  EXPECT_EQ(in(kIer), 0x12U);
  out(kLcr, 0x03);
  EXPECT_EQ(in(kData), 'a');
  EXPECT_EQ(in(kIer), 0x05U);
  EXPECT_EQ(in(kLcr), 0x03U);
  EXPECT_EQ(sink.text, "");
}

TEST_F(SerialTest, TransmitInterruptIsIdentifiedOnce) {
  EXPECT_EQ(in(kIir), kNone);
  out(kIer, 0x02);  // enabled while empty: pending at once
  EXPECT_TRUE(line.high);
  EXPECT_EQ(in(kIir), kThrEmpty);
  EXPECT_FALSE(line.high);
  EXPECT_EQ(in(kIir), kNone);  // reading it has acknowledged it
  out(kIer, 0x02);             // it was enabled before
  EXPECT_EQ(in(kIir), kNone);
  out(kData, 'x');
  EXPECT_TRUE(line.high);
  EXPECT_EQ(in(kIir), kThrEmpty);
  out(kIer, 0x00);
  out(kData, 'x');
  EXPECT_EQ(in(kIir), kNone);  // not enabled
  EXPECT_FALSE(line.high);
}

TEST_F(SerialTest, EveryByteSentIsAnEdgeOfItsOwn) {
  out(kIer, 0x02);
  EXPECT_EQ(line.rises, 1);
  out(kData, 'x');  // IIR was not read
  out(kData, 'y');
  EXPECT_EQ(line.rises, 3);
  EXPECT_TRUE(line.high);
}

TEST_F(SerialTest, FifosShowInInterruptIdAndNeedTheirEnableBit) {
  out(kFcr, 0x01);
  EXPECT_EQ(in(kIir), kFifos | kNone);
  out(kFcr, 0x00);
  EXPECT_EQ(in(kIir), kNone);
  receive("a");
  out(kFcr, 0xc2);  // neither a trigger level nor a reset
  EXPECT_EQ(in(kLsr), 0x61U);
}

TEST_F(SerialTest, ReservedBitsReadZero) {
  out(kIer, 0xff);
  EXPECT_EQ(in(kIer), 0x0fU);
  out(kMcr, 0xff);
  EXPECT_EQ(in(kMcr), 0x1fU);
}

TEST_F(SerialTest, WithoutFifosOneCharacter) {
  EXPECT_EQ(serial.receive_room(), 1U);
  EXPECT_EQ(receive("ab"), 1U);
  EXPECT_EQ(serial.receive_room(), 0U);
  EXPECT_EQ(receive("b"), 0U);
  EXPECT_EQ(in(kLsr), 0x61U);
  EXPECT_EQ(in(kData), 'a');
  EXPECT_EQ(in(kLsr), 0x60U);
  EXPECT_EQ(in(kData), 0U);
  EXPECT_EQ(serial.receive_room(), 1U);
}

TEST_F(SerialTest, WithFifosSixteenInOrder) {
  out(kFcr, 0x01);
  EXPECT_EQ(receive("0123456789"), 10U);
  EXPECT_EQ(serial.receive_room(), 6U);
  EXPECT_EQ(in(kData), '0');
  EXPECT_EQ(receive("abcdefghijk"), 7U);
  EXPECT_EQ(serial.receive_room(), 0U);
  EXPECT_EQ(drain(), "123456789abcdefg");
  EXPECT_EQ(in(kLsr), 0x60U);
  EXPECT_EQ(serial.receive_room(), 16U);
}

TEST_F(SerialTest, ReceivedDataInterrupt) {
  receive("a");
  EXPECT_EQ(in(kIir), kNone);
  out(kIer, 0x01);
  EXPECT_TRUE(line.high);
  EXPECT_EQ(in(kIir), kReceived);
  EXPECT_EQ(in(kIir), kReceived);  // until it is read
  EXPECT_EQ(in(kData), 'a');
  EXPECT_EQ(in(kIir), kNone);
  EXPECT_FALSE(line.high);
  receive("b");
  EXPECT_EQ(line.rises, 2);
}

TEST_F(SerialTest, TriggerLevels) {
  out(kIer, 0x01);
  for (const auto& [code, level] : {std::pair{0x00U, 1U}, {0x40U, 4U}, {0x80U, 8U}, {0xc0U, 14U}}) {
    out(kFcr, 0x03 | code);
    for (unsigned fill = 1; fill <= 16; ++fill) {
      receive("x");
      EXPECT_EQ(in(kIir), kFifos | (fill < level ? kTimeout : kReceived)) << level << " " << fill;
    }
    for (unsigned fill = 16; fill > 0; --fill) {
      EXPECT_EQ(in(kIir), kFifos | (fill < level ? kTimeout : kReceived)) << level << " " << fill;
      in(kData);
    }
    EXPECT_EQ(in(kIir), kFifos | kNone);
  }
}

TEST_F(SerialTest, TheTriggerLevelNeedsNoReset) {
  out(kIer, 0x01);
  out(kFcr, 0xc1);
  receive("1234");
  EXPECT_EQ(in(kIir), kFifos | kTimeout);
  out(kFcr, 0x41);
  EXPECT_EQ(in(kIir), kFifos | kReceived);
  EXPECT_EQ(drain(), "1234");
}

TEST_F(SerialTest, ATimeoutBeginsAnewWithEveryRead) {
  out(kFcr, 0x81);
  out(kIer, 0x01);
  EXPECT_EQ(receive("123456789"), 9U);
  EXPECT_EQ(line.rises, 1);
  in(kData);  // still at the level: the line stays high
  EXPECT_EQ(line.rises, 1);
  in(kData);  // below it
  EXPECT_EQ(line.rises, 2);
  in(kData);
  EXPECT_EQ(line.rises, 3);
  EXPECT_TRUE(line.high);
  EXPECT_EQ(drain(), "456789");
  EXPECT_FALSE(line.high);
}

TEST_F(SerialTest, FifoControlEmptiesTheReceiver) {
  receive("a");
  out(kFcr, 0x01);  // on
  EXPECT_EQ(in(kLsr), 0x60U);
  receive("abc");
  out(kFcr, 0x05);  // the transmitter's reset alone
  EXPECT_EQ(in(kLsr), 0x61U);
  out(kFcr, 0x03);  // the receiver's
  EXPECT_EQ(in(kLsr), 0x60U);
  receive("abc");
  out(kFcr, 0x00);  // off
  EXPECT_EQ(in(kLsr), 0x60U);
  EXPECT_EQ(serial.receive_room(), 1U);
}

TEST_F(SerialTest, ListensOnceTheGuestLooksAtTheReceiver) {
  EXPECT_FALSE(serial.listening());
  out(kData, 'x');
  out(kLcr, 0x80);
  in(kData);  // the divisor
  out(kIer, 0x01);
  out(kLcr, 0x03);
  out(kIer, 0x0e);
  out(kFcr, 0x07);
  for (const std::uint64_t offset : {kIer, kIir, kLcr, kMcr, kMsr, kScr}) in(offset);
  EXPECT_FALSE(serial.listening());
  EXPECT_EQ(rooms, 0);
  for (const char letter : {'a', 'b', 'c'}) {  // it waits for room, and sends
    in(kLsr);
    out(kData, static_cast<std::uint8_t>(letter));
  }
  in(kLsr);
  EXPECT_FALSE(serial.listening());
  in(kLsr);
  EXPECT_TRUE(serial.listening());
  EXPECT_EQ(rooms, 1);
  in(kLsr);
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, ListensOnceTheReceiverIsRead) {
  in(kData);
  EXPECT_TRUE(serial.listening());
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, ListensOnceTheInterruptIsEnabled) {
  out(kIer, 0x01);
  EXPECT_TRUE(serial.listening());
  EXPECT_EQ(rooms, 1);
}

TEST_F(SerialTest, TellsOfRoomOnlyWhereThereWasNone) {
  in(kLsr);
  in(kLsr);
  out(kFcr, 0x01);
  ASSERT_EQ(rooms, 1);
  receive("0123456789abcde");
  in(kData);
  EXPECT_EQ(rooms, 1);
  receive("fg");
  ASSERT_EQ(serial.receive_room(), 0U);
  EXPECT_EQ(rooms, 1);
  in(kLsr);
  EXPECT_EQ(rooms, 1);
  in(kData);
  EXPECT_EQ(rooms, 2);
  in(kData);
  EXPECT_EQ(rooms, 2);
  receive("hi");
  out(kFcr, 0x03);
  EXPECT_EQ(rooms, 3);
  out(kMcr, kLoopback);  // cut off from outside
  EXPECT_EQ(serial.receive_room(), 0U);
  EXPECT_EQ(receive("x"), 0U);
  out(kMcr, 0x00);
  EXPECT_EQ(rooms, 4);
  EXPECT_EQ(serial.receive_room(), 16U);
}

TEST_F(SerialTest, WorksWithoutAnybodyWaitingForRoom) {
  Serial alone(sink, line);
  EXPECT_EQ(test::in(alone, kLsr), 0x60);
  EXPECT_EQ(test::in(alone, kLsr), 0x60);
  EXPECT_TRUE(alone.listening());
}

TEST_F(SerialTest, MayInterruptWhileReceivedDataWould) {
  EXPECT_FALSE(serial.may_interrupt());
  out(kIer, 0x0e);
  EXPECT_FALSE(serial.may_interrupt());
  out(kIer, 0x01);
  EXPECT_TRUE(serial.may_interrupt());
  out(kMcr, kLoopback);
  EXPECT_FALSE(serial.may_interrupt());
}

TEST_F(SerialTest, LoopbackReceivesWhatItSends) {
  out(kFcr, 0x01);
  out(kMcr, kLoopback);
  out(kIer, 0x02);
  in(kIir);
  out(kData, 'a');
  EXPECT_EQ(in(kIir), kFifos | kThrEmpty);
  serial.write_string(kData, 1, std::array<std::uint8_t, 2>{'b', 'c'});
  EXPECT_EQ(drain(), "abc");
  EXPECT_EQ(sink.puts, 0);
  out(kMcr, 0x00);
  out(kData, 'd');
  EXPECT_EQ(sink.text, "d");
  EXPECT_EQ(in(kLsr), 0x60U);
}

TEST_F(SerialTest, OverrunWithoutFifosLosesTheOld) {
  out(kMcr, kLoopback);
  out(kData, 'a');
  EXPECT_EQ(in(kLsr), 0x61U);
  out(kData, 'b');
  EXPECT_EQ(in(kLsr), 0x63U);
  EXPECT_EQ(in(kLsr), 0x61U);  // reading it clears the error
  EXPECT_EQ(drain(), "b");
}

TEST_F(SerialTest, OverrunWithFifosLosesTheNew) {
  out(kMcr, kLoopback);
  out(kFcr, 0x01);
  for (char c = 'a'; c <= 'p'; ++c) out(kData, static_cast<unsigned char>(c));
  EXPECT_EQ(in(kLsr), 0x61U);
  out(kData, 'q');
  EXPECT_EQ(in(kLsr), 0x63U);  // no error of a character in the FIFO
  EXPECT_EQ(drain(), "abcdefghijklmnop");
}

TEST_F(SerialTest, BreakInLoopback) {
  out(kMcr, kLoopback);
  out(kLcr, 0x43);
  EXPECT_EQ(in(kLsr), 0x71U);
  EXPECT_EQ(in(kLsr), 0x61U);
  out(kData, 'x');  // does not get through
  out(kLcr, 0x43);  // is the same break
  EXPECT_EQ(in(kData), 0U);
  EXPECT_EQ(in(kLsr), 0x60U);
  out(kLcr, 0x03);
  out(kData, 'y');
  EXPECT_EQ(drain(), "y");
}

TEST_F(SerialTest, BreakReachesTheReceiverWithLoopback) {
  out(kLcr, 0x40);
  EXPECT_EQ(in(kLsr), 0x60U);
  out(kMcr, kLoopback);
  EXPECT_EQ(in(kLsr), 0x71U);
  out(kMcr, kLoopback | 0x01);
  EXPECT_EQ(in(kLsr), 0x61U);
}

TEST_F(SerialTest, InTheFifoABreakShowsWhenItsTurnHasCome) {
  out(kFcr, 0x01);
  out(kMcr, kLoopback);
  out(kIer, 0x04);
  out(kData, 'a');
  out(kLcr, 0x40);
  out(kLcr, 0x00);
  EXPECT_EQ(in(kIir), kFifos | kNone);
  EXPECT_EQ(in(kLsr), 0xe1U);  // an error somewhere in the FIFO
  EXPECT_EQ(in(kLsr), 0xe1U);
  EXPECT_EQ(in(kData), 'a');
  EXPECT_EQ(in(kIir), kFifos | kStatus);
  EXPECT_TRUE(line.high);
  EXPECT_EQ(in(kLsr), 0xf1U);
  EXPECT_EQ(in(kLsr), 0x61U);
  EXPECT_EQ(in(kIir), kFifos | kNone);
  EXPECT_FALSE(line.high);
}

TEST_F(SerialTest, InterruptsByPriority) {
  out(kFcr, 0x81);
  out(kMcr, kLoopback);
  out(kMcr, kLoopback | 0x01);  // a change of DSR
  out(kIer, 0x0f);
  for (int i = 0; i < 17; ++i) out(kData, 'x');  // one too many
  EXPECT_EQ(in(kIir), kFifos | kStatus);
  in(kLsr);
  EXPECT_EQ(in(kIir), kFifos | kReceived);
  for (int i = 0; i < 9; ++i) in(kData);
  EXPECT_EQ(in(kIir), kFifos | kTimeout);
  for (int i = 0; i < 7; ++i) in(kData);
  EXPECT_EQ(in(kIir), kFifos | kThrEmpty);
  EXPECT_EQ(in(kIir), kFifos | kModem);
  EXPECT_TRUE(line.high);
  in(kMsr);
  EXPECT_EQ(in(kIir), kFifos | kNone);
  EXPECT_FALSE(line.high);
}

TEST_F(SerialTest, EveryInterruptNeedsItsEnableBit) {
  out(kMcr, kLoopback);
  out(kMcr, kLoopback | 0x01);
  out(kData, 'a');
  out(kData, 'b');
  for (const auto& [bit, id] :
       {std::pair{0x01U, kReceived}, {0x02U, kThrEmpty}, {0x04U, kStatus}, {0x08U, kModem}}) {
    out(kIer, 0x0f & ~bit);
    if (id != kStatus) in(kLsr);
    out(kIer, bit);
    if (id == kStatus) out(kData, 'c');
    EXPECT_EQ(in(kIir), id) << bit;
    out(kIer, 0x00);
    EXPECT_EQ(in(kIir), kNone);
    EXPECT_FALSE(line.high);
  }
}

TEST_F(SerialTest, ModemLinesAreUpAndLoopBack) {
  EXPECT_EQ(in(kMsr), 0xb0U);  // DCD, DSR, CTS; no change
  out(kMcr, 0x0f);
  EXPECT_EQ(in(kMsr), 0xb0U);
  out(kMcr, kLoopback);
  EXPECT_EQ(in(kMsr), 0x0bU);  // all three went
  EXPECT_EQ(in(kMsr), 0x00U);  // reading it clears the changes
  out(kMcr, kLoopback | 0x01);
  EXPECT_EQ(in(kMsr), 0x22U);  // DTR to DSR
  out(kMcr, kLoopback | 0x02);
  EXPECT_EQ(in(kMsr), 0x13U);  // RTS to CTS
  out(kMcr, kLoopback | 0x04);
  EXPECT_EQ(in(kMsr), 0x41U);  // OUT1 to RI, whose beginning does not count
  out(kMcr, kLoopback | 0x08);
  EXPECT_EQ(in(kMsr), 0x8cU);  // OUT2 to DCD; RI has ended
  out(kMcr, kLoopback | 0x08);
  EXPECT_EQ(in(kMsr), 0x80U);
  out(kMsr, 0xff);  // not writable
  EXPECT_EQ(in(kMsr), 0x80U);
}

TEST_F(SerialTest, ModemStatusInterrupt) {
  out(kIer, 0x08);
  out(kMcr, kLoopback | 0x0b);
  EXPECT_EQ(in(kIir), kNone);
  out(kMcr, kLoopback | 0x0a);
  EXPECT_EQ(in(kIir), kModem);
  EXPECT_TRUE(line.high);
  in(kMsr);
  EXPECT_FALSE(line.high);
}

TEST_F(SerialTest, Out2DoesNotGateTheLine) {
  out(kMcr, 0x00);
  out(kIer, 0x02);
  EXPECT_TRUE(line.high);
}

TEST_F(SerialTest, Scratch) {
  out(kScr, 0xa5);
  EXPECT_EQ(in(kScr), 0xa5U);
}

TEST_F(SerialTest, WideAccessesGoToConsecutiveRegistersAndEndWithThem) {
  out(kLcr, 0x80);
  serial.write(kData, std::array<std::uint8_t, 2>{0x34, 0x12});
  EXPECT_EQ(in(kData), 0x34U);
  EXPECT_EQ(in(kIer), 0x12U);
  std::array<std::uint8_t, 6> read{};
  serial.read(kMcr, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 6>{0x00, 0x60, 0xb0, 0x00, 0xff, 0xff}));
  serial.write(kScr, std::array<std::uint8_t, 2>{0x55, 0x66});
  EXPECT_EQ(in(kScr), 0x55U);
}

}  // namespace
}  // namespace vmctl
