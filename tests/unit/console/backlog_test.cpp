// SPDX-License-Identifier: GPL-2.0
#include "console/backlog.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include "base/fd.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

class BacklogTest : public testing::Test {
 protected:
  void connect() {
    std::array<int, 2> fds{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds.data()) != 0)
      throw std::runtime_error("socketpair failed");
    ours = Fd(fds[0]);
    his = Fd(fds[1]);
    backlog.set_reader(ours.get());
  }
  int put(std::string_view text) {
    return backlog.put({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  // What is there for him now.
  std::string read() {
    std::string all;
    std::array<char, 4096> bytes{};
    for (ssize_t got = 0; (got = ::read(his.get(), bytes.data(), bytes.size())) > 0;)
      all.append(bytes.data(), static_cast<std::size_t>(got));
    return all;
  }
  // The same, with what becomes room for meanwhile.
  std::string read_and_flush() {
    std::string all;
    while (true) {
      const std::string more = read();
      backlog.flush();
      if (more.empty()) return all;
      all += more;
    }
  }

  static constexpr std::size_t kSmall = 1000;
  Ending ending;
  Backlog backlog{ending, kSmall};
  Fd ours;
  Fd his;
};

TEST_F(BacklogTest, WhatWasSaidBeforeIsGivenToWhoComes) {
  EXPECT_EQ(put("before "), 0);
  EXPECT_TRUE(backlog.pending());
  connect();
  EXPECT_EQ(backlog.flush(), 0);
  EXPECT_FALSE(backlog.pending());
  EXPECT_EQ(put("after"), 0);
  EXPECT_EQ(read(), "before after");
}

TEST_F(BacklogTest, WithoutAReaderNothingWaitsAndTheOldestIsLost) {
  const auto start = std::chrono::steady_clock::now();
  put(std::string(1'000'000, 'x'));
  put("the end");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  EXPECT_EQ(backlog.kept(), kSmall);
  EXPECT_EQ(backlog.lost(), 1'000'007 - kSmall);
  connect();
  backlog.flush();
  const std::string all = read();
  EXPECT_EQ(all.find("\r\n[999007 bytes lost]\r\nxxx"), 0U) << all.substr(0, 50);
  EXPECT_TRUE(all.ends_with("xxxthe end"));
}

TEST_F(BacklogTest, OneWhoNeverReadsIsNotWaitedFor) {
  connect();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 2000; ++i) put(std::string(1000, 'x'));
  EXPECT_LT(std::chrono::steady_clock::now() - start, 900ms * 10);
  EXPECT_GT(backlog.lost(), 0U);
}

TEST_F(BacklogTest, OneWhoReadsSlowlyLosesNothing) {
  connect();
  std::string all;
  std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      all += read();
      backlog.flush();  // as the loop does
      std::this_thread::sleep_for(1ms);
    }
    all += read_and_flush();
  });
  // Until he is seen to read, he may lose something: what fills the socket goes first.
  std::string sent;
  for (int i = 0; i < 300; ++i) {
    put("x");
    std::this_thread::sleep_for(100us);
  }
  sent = std::string(300, 'x');
  std::string block(500, 'y');
  bool reads = false;
  for (int i = 0; i < 4000; ++i) {
    put(block);
    sent += block;
    if (!reads && backlog.pending()) {  // let him show that he reads
      while (backlog.pending()) std::this_thread::sleep_for(1ms);
      reads = true;
    }
  }
  reader.request_stop();
  reader.join();
  EXPECT_EQ(backlog.lost(), 0U);
  EXPECT_EQ(all.size(), sent.size());
}

TEST_F(BacklogTest, OneWhoIsGoneIsSaidOnce) {
  connect();
  his = Fd();
  EXPECT_EQ(put("x"), EPIPE);
  EXPECT_EQ(put("y"), 0);
  connect();
  backlog.flush();
  EXPECT_EQ(read(), "xy");
}

TEST_F(BacklogTest, TheLastWordsGoToWhoReads) {
  put("last words");
  connect();
  backlog.finish();
  EXPECT_EQ(read(), "last words");
}

}  // namespace
}  // namespace vmctl
