// SPDX-License-Identifier: GPL-2.0
#include "run/event_loop.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <future>

namespace vmctl {
namespace {

using namespace std::chrono_literals;
constexpr auto kPatience = 20s;

TEST(EventLoop, TimersComeAtTheirTimeOrLater) {
  MachineClock clock;
  EventLoop loop(clock);
  std::promise<Time> came;
  const auto timer = loop.timer([&] { came.set_value(clock.now()); });
  const Time at = clock.now() + 3ms;
  timer->set(at);
  auto future = came.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_GE(future.get(), at);
}

TEST(EventLoop, AnEarlierTimeOvertakesALaterOne) {
  MachineClock clock;
  EventLoop loop(clock);
  std::promise<void> came;
  const auto timer = loop.timer([&] { came.set_value(); });
  timer->set(clock.now() + 1h);
  timer->set(clock.now() + 1ms);
  EXPECT_EQ(came.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST(EventLoop, AStoppedTimerDoesNotCome) {
  MachineClock clock;
  EventLoop loop(clock);
  std::atomic<bool> stopped_came = false;
  std::promise<void> came;
  const auto stopped = loop.timer([&] { stopped_came = true; });
  const auto other = loop.timer([&] { came.set_value(); });
  stopped->set(clock.now() + 20ms);
  stopped->stop();
  other->set(clock.now() + 40ms);
  ASSERT_EQ(came.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(stopped_came);
}

TEST(EventLoop, ATimerMaySetItselfAnew) {
  MachineClock clock;
  EventLoop loop(clock);
  int count = 0;
  std::promise<void> done;
  std::unique_ptr<Timer> timer = loop.timer([&] {
    if (++count == 3)
      done.set_value();
    else
      timer->set(clock.now() + 1ms);
  });
  timer->set(clock.now());
  ASSERT_EQ(done.get_future().wait_for(kPatience), std::future_status::ready);
  loop.stop();
  EXPECT_EQ(count, 3);
}

TEST(EventLoop, InputIsWaitedForWhileAsked) {
  MachineClock clock;
  EventLoop loop(clock);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  std::promise<char> got;
  std::unique_ptr<EventLoop::Watch> watch = loop.watch([&] {
    char byte = 0;
    ASSERT_EQ(::read(reader.get(), &byte, 1), 1);
    watch->set(-1);
    got.set_value(byte);
  });
  watch->set(reader.get());
  ASSERT_EQ(::write(writer.get(), "ab", 2), 2);
  auto future = got.get_future();
  ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(future.get(), 'a');
  loop.stop();
  char left = 0;
  EXPECT_EQ(::read(reader.get(), &left, 1), 1);
  EXPECT_EQ(left, 'b');
}

TEST(EventLoop, RoomIsWaitedForWhileAsked) {
  MachineClock clock;
  EventLoop loop(clock);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  std::array<char, 4096> block{};
  while (::write(writer.get(), block.data(), block.size()) > 0) continue;
  std::promise<void> room;
  std::unique_ptr<EventLoop::Watch> watch = loop.watch([&] {
    watch->set(-1);
    room.set_value();
  });
  watch->set_for_room(writer.get());
  auto future = room.get_future();
  EXPECT_EQ(future.wait_for(20ms), std::future_status::timeout);
  while (::read(reader.get(), block.data(), block.size()) > 0) continue;
  EXPECT_EQ(future.wait_for(kPatience), std::future_status::ready);
}

TEST(EventLoop, NothingComesAfterStop) {
  MachineClock clock;
  EventLoop loop(clock);
  std::atomic<int> count = 0;
  std::unique_ptr<Timer> timer = loop.timer([&] {
    ++count;
    timer->set(clock.now());
  });
  timer->set(clock.now());
  loop.stop();
  const int before = count;
  timer->set(clock.now());
  std::this_thread::sleep_for(5ms);
  EXPECT_EQ(count, before);
}

TEST(EventLoop, GoesOnWhereItWasStopped) {
  MachineClock clock;
  EventLoop loop(clock);
  std::atomic<int> count = 0;
  std::promise<void> came;
  const auto kept = loop.timer([&] { came.set_value(); });
  auto forgotten = loop.timer([&] { ++count; });
  loop.go_on();  // nothing was stopped
  loop.stop();
  kept->set(clock.now());
  forgotten->set(clock.now());
  forgotten.reset();
  EXPECT_EQ(came.get_future().wait_for(20ms), std::future_status::timeout);
  came = {};
  loop.go_on();
  EXPECT_EQ(came.get_future().wait_for(kPatience), std::future_status::ready);
  loop.stop();
  EXPECT_EQ(count, 0);
}

TEST(EventLoop, WhatIsForgottenWhileItRunsDoesNotCome) {
  MachineClock clock;
  EventLoop loop(clock);
  std::atomic<bool> forgotten_came = false;
  std::promise<void> came;
  const auto other = loop.timer([&] { came.set_value(); });
  auto forgotten = loop.timer([&] { forgotten_came = true; });
  forgotten->set(clock.now() + 20ms);
  forgotten.reset();
  other->set(clock.now() + 40ms);
  ASSERT_EQ(came.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_FALSE(forgotten_came);
}

}  // namespace
}  // namespace vmctl
