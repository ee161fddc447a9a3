// SPDX-License-Identifier: GPL-2.0
#include "console/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <future>
#include <vector>

#include "base/fd.hpp"
#include "run/kick.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

class OutputTest : public testing::Test {
 protected:
  OutputTest() {
    std::signal(SIGPIPE, SIG_IGN);
    std::array<int, 2> fds{};
    if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
    reader = Fd(fds[0]);
    writer = Fd(fds[1]);
  }
  Fd reader;
  Fd writer;
  Ending ending;
  std::atomic<pthread_t> writer_thread = 0;
};

TEST_F(OutputTest, DeliversInOrder) {
  const Output output(writer.get(), ending);
  constexpr std::array<std::uint8_t, 2> kText{'4', '\n'};
  EXPECT_EQ(output.write(kText), 0);
  std::array<std::uint8_t, 8> got{};
  EXPECT_EQ(::read(reader.get(), got.data(), got.size()), 2);
  EXPECT_EQ(got[0], '4');
}

TEST_F(OutputTest, AFullPipeIsWaitedForUntilTheMachineStops) {
  const Output output(writer.get(), ending);
  const std::vector<std::uint8_t> more_than_a_pipe(1 << 20, 'x');
  const KickHandler kicks;
  auto writing = std::async(std::launch::async, [&] {
    writer_thread = ::pthread_self();
    return output.write(more_than_a_pipe);
  });
  EXPECT_EQ(writing.wait_for(50ms), std::future_status::timeout);
  ::pthread_kill(writer_thread, kick_signal());  // alone it changes nothing
  EXPECT_EQ(writing.wait_for(50ms), std::future_status::timeout);
  ending.end({.kind = EndKind::signal, .status = 130});
  ::pthread_kill(writer_thread, kick_signal());
  ASSERT_EQ(writing.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(writing.get(), ECANCELED);
}

TEST_F(OutputTest, ADescriptorThatDoesNotBlockIsWaitedFor) {
  ASSERT_EQ(::fcntl(writer.get(), F_SETFL, O_NONBLOCK), 0);
  const Output output(writer.get(), ending);
  const std::vector<std::uint8_t> more_than_a_pipe(1 << 20, 'x');
  auto writing = std::async(std::launch::async, [&] { return output.write(more_than_a_pipe); });
  std::vector<std::uint8_t> got(1 << 16);
  std::size_t total = 0;
  while (total < more_than_a_pipe.size()) {
    const ssize_t n = ::read(reader.get(), got.data(), got.size());
    ASSERT_GT(n, 0);
    total += static_cast<std::size_t>(n);
  }
  EXPECT_EQ(writing.get(), 0);
}

TEST_F(OutputTest, AStopEndsTheWaitForADescriptorThatDoesNotBlock) {
  ASSERT_EQ(::fcntl(writer.get(), F_SETFL, O_NONBLOCK), 0);
  const Output output(writer.get(), ending);
  const std::vector<std::uint8_t> more_than_a_pipe(1 << 20, 'x');
  auto writing = std::async(std::launch::async, [&] { return output.write(more_than_a_pipe); });
  EXPECT_EQ(writing.wait_for(50ms), std::future_status::timeout);
  ending.end({.kind = EndKind::signal, .status = 130});
  ASSERT_EQ(writing.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(writing.get(), ECANCELED);
}

TEST_F(OutputTest, WhatStillFitsIsWrittenWhenTheMachineStops) {
  ending.end({.kind = EndKind::signal, .status = 130});
  EXPECT_EQ(Output(writer.get(), ending).write(std::array<std::uint8_t, 1>{'x'}), 0);
}

TEST_F(OutputTest, AReaderThatIsGoneEndsTheMachine) {
  reader = Fd();
  report_output(Output(writer.get(), ending).write(std::array<std::uint8_t, 1>{'x'}), "it", ending);
  EXPECT_TRUE(ending.stopping());
  EXPECT_EQ(ending.gravest().status, 141);
  EXPECT_NE(ending.gravest().reason.find("it was closed"), std::string::npos);
}

TEST_F(OutputTest, ADescriptorThatTakesNothingEndsTheMachine) {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  ASSERT_TRUE(full.valid());
  for (const int fd : {full.get(), 1 << 20}) {
    Ending own;
    report_output(Output(fd, own).write(std::array<std::uint8_t, 1>{'x'}), "it", own);
    EXPECT_EQ(own.gravest().status, 74) << fd;
  }
}

TEST_F(OutputTest, SuccessAndAStopAreNoFailures) {
  report_output(0, "it", ending);
  report_output(ECANCELED, "it", ending);
  EXPECT_FALSE(ending.stopping());
}

}  // namespace
}  // namespace vmctl
