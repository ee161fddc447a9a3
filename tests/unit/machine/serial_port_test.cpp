// SPDX-License-Identifier: GPL-2.0
#include "machine/serial_port.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>
#include <string>

#include "base/fd.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

class CountingLine final : public InterruptLine {
 public:
  void set(bool level) override {
    if (level) ++raised;
  }
  std::atomic<int> raised = 0;
};

// A pty whose other side is the test.
class SerialPortTest : public testing::Test {
 protected:
  SerialPortTest()
      : channel(on(loop, Channel::open({.kind = ChannelSpec::Kind::pty}, ending).value())),
        port(*channel, line, loop, [this] { ended.set_value(); }),
        other(::open(port.channel().place().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)) {}
  void TearDown() override { loop.stop(); }
  static std::unique_ptr<Channel> on(EventLoop& loop, std::unique_ptr<Channel> channel) {
    channel->run_on(loop);
    return channel;
  }

  std::uint8_t in(std::uint64_t offset) {
    std::array<std::uint8_t, 1> byte{};
    port.uart().read(offset, byte);
    return byte[0];
  }
  void out(std::uint64_t offset, std::uint8_t value) {
    port.uart().write(offset, std::array<std::uint8_t, 1>{value});
  }
  bool data_ready() {
    for (const auto end = std::chrono::steady_clock::now() + 20s;
         std::chrono::steady_clock::now() < end;)
      if ((in(5) & 1) != 0) return true;
    return false;
  }
  void type(const std::string& text) {
    ASSERT_EQ(::write(other.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  Ending ending;
  CountingLine line;
  MachineClock clock;
  EventLoop loop{clock};
  std::promise<void> ended;
  std::unique_ptr<Channel> channel;
  SerialPort port;
  Fd other;
};

TEST_F(SerialPortTest, WhatIsTypedArrivesWhole) {
  std::string sent;
  for (int i = 0; i < 1000; ++i) sent += static_cast<char>('a' + i % 26);
  type(sent);
  for (const char letter : sent) {
    ASSERT_TRUE(data_ready());
    ASSERT_EQ(in(0), static_cast<std::uint8_t>(letter));
  }
}

TEST_F(SerialPortTest, TheGuestsModesLoseNothing) {
  out(2, 0x01);
  type("0123456789abcdefghijklmnopqrstuvwxyz");
  std::string got;
  for (int i = 0; got.size() < 36; ++i) {
    out(4, 0x10);  // loopback: there is no room
    out(4, 0x00);
    ASSERT_TRUE(data_ready()) << got;
    got += static_cast<char>(in(0));
  }
  EXPECT_EQ(got, "0123456789abcdefghijklmnopqrstuvwxyz");
}

TEST_F(SerialPortTest, InputIsLeftAloneUntilTheGuestLooks) {
  type("x");
  out(0, 'a');
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(port.uart().receive_room(), 1U);
  out(1, 0x01);  // received data raises the line
  for (int i = 0; i < 20000 && line.raised == 0; ++i) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(line.raised, 1);
  EXPECT_TRUE(port.may_interrupt());
}

TEST(SerialPort, AChannelWithoutInputNeverInterrupts) {
  Ending ending;
  CountingLine line;
  MachineClock clock;
  EventLoop loop(clock);
  std::promise<void> ended;
  const auto channel = Channel::open({.kind = ChannelSpec::Kind::none}, ending).value();
  SerialPort port(*channel, line, loop, [&] { ended.set_value(); });
  std::array<std::uint8_t, 1> byte{};
  port.uart().write(1, std::array<std::uint8_t, 1>{0x01});
  port.uart().read(5, byte);
  EXPECT_FALSE(port.may_interrupt());
  EXPECT_EQ(ended.get_future().wait_for(10ms), std::future_status::timeout);
}

// Another machine in the place of one that was reset: what is typed goes on to it.
TEST(SerialPort, AnotherTakesOverTheChannel) {
  Ending ending;
  CountingLine line;
  MachineClock clock;
  EventLoop loop(clock);
  const auto channel = Channel::open({.kind = ChannelSpec::Kind::pty}, ending).value();
  channel->run_on(loop);
  const Fd other(::open(channel->place().c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  for (const char typed : {'a', 'b', 'c'}) {
    SerialPort port(*channel, line, loop, [] {});
    loop.go_on();
    ASSERT_EQ(::write(other.get(), &typed, 1), 1);
    const auto in = [&](std::uint64_t offset) {
      std::array<std::uint8_t, 1> byte{};
      port.uart().read(offset, byte);
      return byte[0];
    };
    const auto end = std::chrono::steady_clock::now() + 20s;
    while ((in(5) & 1) == 0 && std::chrono::steady_clock::now() < end) continue;
    EXPECT_EQ(in(0), static_cast<std::uint8_t>(typed));
    loop.stop();
  }
}

}  // namespace
}  // namespace vmctl
