// SPDX-License-Identifier: GPL-2.0
#include "console/console.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include "console/unix_socket.hpp"
#include "machine/serial_port.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

class NoMachine final : public MachineControl {
 public:
  std::string info() override { return ""; }
  std::string registers() override { return ""; }
  Result<std::string> dump(GuestAddr /*at*/, std::uint64_t /*length*/) override { return ""; }
  bool pause() override { return true; }
  bool resume() override { return true; }
  Result<> nmi(std::uint32_t /*vcpu*/) override { return {}; }
  Result<> power_down() override { return {}; }
  void quit(const std::string& /*who*/) override { ended = true; }
  std::atomic<bool> ended = false;
};

class NoLine final : public InterruptLine {
 public:
  void set(bool /*level*/) override {}
};

template <class Done>
bool soon(Done done) {
  for (int i = 0; i < 20000 && !done(); ++i) std::this_thread::sleep_for(1ms);
  return done();
}

std::unique_ptr<Console> open_none(Ending& ending) {
  return Console::open({.kind = ChannelSpec::Kind::none}, ending).value();
}

TEST(Console, KnowsWhetherTheGuestHasSpoken) {
  Ending ending;
  const auto console = open_none(ending);
  EXPECT_FALSE(console->spoken());
  console->put(std::array<std::uint8_t, 1>{'x'});
  EXPECT_TRUE(console->spoken());
}

TEST(Console, WithoutAnybodyItHasEndedAndWithSomeWhoMayAttachNot) {
  const test::TemporaryFolder folder;
  Ending ending;
  MachineClock clock;
  EventLoop loop(clock);
  const auto console = open_none(ending);
  console->run_on(loop);
  EXPECT_TRUE(console->ended());
  ASSERT_TRUE(console->listen(folder.path("socket")));
  EXPECT_FALSE(console->ended());
}

// From who attaches to the guest's register.
TEST(Console, WhatIsTypedByWhoAttachesReachesTheGuestWhole) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  Ending ending;
  NoLine line;
  NoMachine machine;
  MachineClock clock;
  EventLoop loop(clock);
  auto owned = open_none(ending);
  Console& console = *owned;
  console.run_on(loop);
  SerialPort port(console, line, loop, [] {});
  ASSERT_TRUE(console.listen(path));
  console.start(machine);

  std::string sent;
  for (int i = 0; i < 2000; ++i) sent += static_cast<char>('a' + i % 26);
  const Fd peer = connect_to(path).value();
  std::jthread sender([&] {
    for (std::size_t at = 0; at < sent.size(); at += 1000) {
      const std::string frame = encode_frame(FrameType::input, sent.substr(at, 1000));
      ASSERT_EQ(::send(peer.get(), frame.data(), frame.size(), 0),
                static_cast<ssize_t>(frame.size()));
    }
  });
  const auto in = [&](std::uint64_t offset) {
    std::array<std::uint8_t, 1> byte{};
    port.uart().read(offset, byte);
    return byte[0];
  };
  std::string got;
  while (got.size() < sent.size() && soon([&] { return (in(5) & 1) != 0; }))
    got += static_cast<char>(in(0));
  EXPECT_TRUE(got == sent) << got.size();
  const std::string quit = encode_frame(FrameType::quit, "");
  ASSERT_EQ(::send(peer.get(), quit.data(), quit.size(), 0), static_cast<ssize_t>(quit.size()));
  EXPECT_TRUE(soon([&] { return machine.ended.load(); }));
  loop.stop();
  EXPECT_EQ(console.stop("over"), "");
}

// More than is kept for the guest: the rest waits with who sends it.
TEST(Console, WhatIsTypedFasterThanItIsTakenWaits) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  Ending ending;
  NoMachine machine;
  MachineClock clock;
  EventLoop loop(clock);
  const auto console = open_none(ending);
  console->run_on(loop);
  ASSERT_TRUE(console->listen(path));
  console->start(machine);
  std::string sent;
  for (int i = 0; i < 400'000; ++i) sent += static_cast<char>('a' + i % 26);
  const Fd peer = connect_to(path).value();
  std::jthread sender([&] {
    for (std::size_t at = 0; at < sent.size(); at += 4000) {
      const std::string frame = encode_frame(FrameType::input, sent.substr(at, 4000));
      ASSERT_EQ(::send(peer.get(), frame.data(), frame.size(), 0),
                static_cast<ssize_t>(frame.size()));
    }
  });
  std::string got;
  std::atomic<std::size_t> length = 0;
  std::unique_ptr<Timer> taker = loop.timer([&] {
    std::array<std::uint8_t, 1000> bytes{};
    const std::size_t count = console->take(bytes);
    got.append(bytes.begin(), bytes.begin() + count);
    length = got.size();
    taker->set(count > 0 ? Time::zero() : clock.now() + 1ms);
  });
  taker->set(clock.now() + 50ms);
  EXPECT_TRUE(soon([&] { return length == sent.size(); })) << length;
  loop.stop();
  EXPECT_TRUE(got == sent);
}

TEST(TerminalSizeSource, TellsEachChangeOnceAndWhatIsKnownAtOnce) {
  TerminalSizeSource source;
  EXPECT_EQ(source.now(), std::nullopt);
  source.set({.columns = 80, .rows = 24});
  std::vector<TerminalSize> seen;
  source.on_change([&](TerminalSize size) { seen.push_back(size); });
  source.set({.columns = 80, .rows = 24});
  source.set({.columns = 100, .rows = 24});
  EXPECT_EQ(seen, (std::vector<TerminalSize>{{80, 24}, {100, 24}}));
  EXPECT_EQ(source.now(), (TerminalSize{100, 24}));
}

}  // namespace
}  // namespace vmctl
