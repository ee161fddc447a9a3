// SPDX-License-Identifier: GPL-2.0
#include "net/tap.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <future>
#include <string>

namespace vmctl {
namespace {

// A socket of datagrams gives and takes whole ones, as a tap does.
struct Cable {
  Cable() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends.data()) != 0)
      throw std::runtime_error("socketpair failed");
    far = Fd(ends[1]);
    tap = std::make_unique<Tap>(Fd(ends[0]));
  }
  void put(std::string_view frame) const {
    EXPECT_EQ(::write(far.get(), frame.data(), frame.size()), static_cast<ssize_t>(frame.size()));
  }
  std::string receive(std::size_t room = 100) const {
    std::string frame(room, '\0');
    frame.resize(tap->receive({reinterpret_cast<std::uint8_t*>(frame.data()), frame.size()}));
    return frame;
  }
  Fd far;
  std::unique_ptr<Tap> tap;
};

TEST(Tap, CarriesFrames) {
  const Cable cable;
  const std::array<std::uint8_t, 3> frame{1, 2, 3};
  cable.tap->send(frame);
  std::array<std::uint8_t, 8> got{};
  EXPECT_EQ(::read(cable.far.get(), got.data(), got.size()), 3);
  EXPECT_EQ(got[2], 3);
  EXPECT_EQ(cable.receive(), "");
  cable.put("one");
  cable.put("two");
  EXPECT_EQ(cable.receive(), "one");
  EXPECT_EQ(cable.receive(), "two");
}

TEST(Tap, FramesWithoutRoomAreLost) {
  const Cable cable;
  cable.put("too long");
  cable.put("fits");
  EXPECT_EQ(cable.receive(4), "fits");
}

TEST(Tap, TellsWhatArrives) {
  const Cable cable;
  std::promise<std::string> told;
  cable.tap->start([&] {
    told.set_value(cable.receive());
    return true;
  });
  cable.put("frame");
  EXPECT_EQ(told.get_future().get(), "frame");
  cable.tap->stop();
}

TEST(Tap, WithoutBuffersItWaitsForResume) {
  const Cable cable;
  std::atomic<int> calls = 0;
  std::promise<void> first;
  std::promise<void> second;
  cable.tap->start([&] {
    if (++calls == 1) {
      first.set_value();
      return false;
    }
    cable.receive();
    second.set_value();
    return true;
  });
  cable.put("frame");
  first.get_future().get();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(calls, 1);
  // It may come before the first call has returned.
  auto done = second.get_future();
  while (done.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready)
    cable.tap->resume();
  cable.tap->stop();
  EXPECT_EQ(calls, 2);
}

TEST(Tap, AMissingInterfaceIsExplained) {
  // "lo" is no tap, whoever asks.
  const auto opened = Tap::open("lo");
  ASSERT_FALSE(opened);
  EXPECT_FALSE(opened.error().what.empty());
  EXPECT_FALSE(opened.error().advice.empty()) << opened.error().text();
}

}  // namespace
}  // namespace vmctl
