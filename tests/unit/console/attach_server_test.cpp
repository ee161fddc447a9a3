// SPDX-License-Identifier: GPL-2.0
#include "console/attach_server.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "console/unix_socket.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

// One who attaches, and talks in frames.
class Peer {
 public:
  explicit Peer(const std::string& path) : fd_(connect_to(path).value()) {}

  void send(const std::string& bytes) {
    ASSERT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  // The next frame; nothing when it is over.
  std::optional<Frame> next() {
    while (true) {
      auto frame = frames_.next().value();
      if (frame) return frame;
      pollfd input{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&input, 1, 20000) != 1) return std::nullopt;
      std::array<std::uint8_t, 1000> bytes{};
      const ssize_t got = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
      if (got <= 0) return std::nullopt;
      frames_.feed(std::span(bytes).first(static_cast<std::size_t>(got)));
    }
  }
  // So many bytes of output.
  std::string output(std::size_t length) {
    std::string text;
    while (text.size() < length) {
      const auto frame = next();
      if (!frame) return text + "(over)";
      if (frame->type == FrameType::output) text += frame->body;
    }
    return text;
  }

 private:
  Fd fd_;
  FrameReader frames_;
};

class AttachServerTest : public testing::Test {
 protected:
  AttachServerTest() { server->start(); }
  ~AttachServerTest() override { loop.stop(); }

  void record(std::string_view text) {
    server->record({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  std::string typed() {
    const std::lock_guard guard(lock);
    return typed_;
  }
  template <class Done>
  static bool soon(Done done) {
    for (int i = 0; i < 20000 && !done(); ++i) std::this_thread::sleep_for(1ms);
    return done();
  }

  const test::TemporaryFolder folder;
  const std::string path = folder.path("socket");
  std::mutex lock;
  std::string typed_;
  std::atomic<bool> room = true;
  std::atomic<int> quits = 0;
  std::atomic<int> columns = 0;
  MachineClock clock;
  EventLoop loop{clock};
  std::unique_ptr<AttachServer> server =
      AttachServer::open(path, loop,
                         {.has_room = [this] { return room.load(); },
                          .type =
                              [this](std::string_view bytes) {
                                const std::lock_guard guard(lock);
                                typed_ += bytes;
                              },
                          .answer =
                              [](std::string_view line) {
                                return MonitorAnswer{.text = line == "much"
                                                                 ? std::string(1'000'000, 'm')
                                                                 : std::string(line) + "!",
                                                     .leave = line == "cont"};
                              },
                          .quit = [this] { ++quits; },
                          .resize = [this](TerminalSize size) { columns = size.columns; }})
          .value();
};

TEST_F(AttachServerTest, WhatWasSaidBeforeAndWhatComesThen) {
  record("before ");
  Peer peer(path);
  EXPECT_EQ(peer.next(), (Frame{FrameType::hello, std::string(kAttachHello)}));
  EXPECT_EQ(peer.output(7), "before ");
  record("after");
  EXPECT_EQ(peer.output(5), "after");
  Peer second(path);
  EXPECT_EQ(second.output(12), "before after");
}

TEST_F(AttachServerTest, InputLinesSizesAndTheWayOut) {
  Peer peer(path);
  peer.send(encode_frame(FrameType::input, "ls\r") + encode_size({.columns = 100, .rows = 30}) +
            encode_frame(FrameType::line, "info") + encode_frame(FrameType::line, "cont") +
            encode_frame(FrameType::quit, ""));
  EXPECT_EQ(peer.next()->type, FrameType::hello);
  EXPECT_EQ(peer.next(), (Frame{FrameType::answer, "info!"}));
  EXPECT_EQ(peer.next(), (Frame{FrameType::done, ""}));
  EXPECT_EQ(peer.next(), (Frame{FrameType::answer, "cont!"}));
  EXPECT_EQ(peer.next(), (Frame{FrameType::done, "leave"}));
  EXPECT_TRUE(soon([&] { return quits == 1; }));
  EXPECT_EQ(typed(), "ls\r");
  EXPECT_EQ(columns, 100);
}

TEST_F(AttachServerTest, InputWaitsForRoom) {
  room = false;
  Peer peer(path);
  peer.send(encode_frame(FrameType::input, "a") + encode_frame(FrameType::input, "b"));
  EXPECT_EQ(peer.next()->type, FrameType::hello);
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(typed(), "");
  room = true;
  const auto timer = loop.timer([&] { server->on_room(); });
  timer->set(Time::zero());
  EXPECT_TRUE(soon([&] { return typed() == "ab"; })) << typed();
}

TEST_F(AttachServerTest, WhoDoesNotReadLosesTheOldestAndKeepsNobodyWaiting) {
  Peer peer(path);
  EXPECT_EQ(peer.next()->type, FrameType::hello);
  const std::string block(1000, 'x');
  for (int i = 0; i < 3000; ++i) record(block);
  record("the end");
  std::string all;
  while (!all.ends_with("the end")) {
    const auto frame = peer.next();
    ASSERT_TRUE(frame);
    all += frame->body;
  }
  EXPECT_NE(all.find(" bytes lost]"), std::string::npos);
  EXPECT_LT(all.size(), 3'000'000U);
}

TEST_F(AttachServerTest, ALongAnswerToWhoDoesNotReadIsTheOnlyOne) {
  Peer peer(path);
  for (int i = 0; i < 3; ++i) peer.send(encode_frame(FrameType::line, "much"));
  std::size_t length = 0;
  for (int done = 0; done < 3;) {
    const auto frame = peer.next();
    ASSERT_TRUE(frame);
    if (frame->type == FrameType::answer) length += frame->body.size();
    if (frame->type == FrameType::done) ++done;
  }
  EXPECT_EQ(length, 3'000'000U);
}

TEST_F(AttachServerTest, NonsenseIsToldAndEndsIt) {
  Peer peer(path);
  peer.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(peer.next()->type, FrameType::hello);
  const auto frame = peer.next();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->type, FrameType::end);
  EXPECT_NE(frame->body.find("not a frame"), std::string::npos);
  EXPECT_EQ(peer.next(), std::nullopt);
  Peer machine(path);
  machine.send(encode_frame(FrameType::output, "as if it were the machine"));
  EXPECT_EQ(machine.next()->type, FrameType::hello);
  EXPECT_EQ(machine.next(), std::nullopt);
  EXPECT_TRUE(soon([&] { return server->attached() == 0; }));
}

TEST_F(AttachServerTest, NoMoreThanThereArePlacesFor) {
  std::list<Peer> peers;
  for (std::size_t i = 0; i < AttachServer::kPeers; ++i) {
    peers.emplace_back(path);
    ASSERT_TRUE(peers.back().next());
  }
  Peer late(path);
  EXPECT_EQ(late.next()->type, FrameType::hello);
  EXPECT_EQ(late.next(), (Frame{FrameType::end, "as many are attached as can be"}));
  peers.pop_front();
  EXPECT_TRUE(soon([&] { return server->attached() < AttachServer::kPeers; }));
  Peer next(path);
  record("x");
  EXPECT_EQ(next.output(1), "x");
}

TEST_F(AttachServerTest, TheEndIsTold) {
  Peer peer(path);
  EXPECT_EQ(peer.next()->type, FrameType::hello);
  EXPECT_TRUE(soon([&] { return server->attached() == 1; }));
  record("last words");
  loop.stop();
  server->finish("halted");
  EXPECT_EQ(peer.output(10), "last words");
  EXPECT_EQ(peer.next(), (Frame{FrameType::end, "halted"}));
  server.reset();
  EXPECT_NE(::access(path.c_str(), F_OK), 0);
}

}  // namespace
}  // namespace vmctl
