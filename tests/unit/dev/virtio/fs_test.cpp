// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/fs.hpp"

#include <gtest/gtest.h>

#include "dev/virtio/fake_driver.hpp"

namespace vmctl {
namespace {

using namespace std::string_literals;
using test::DrivenTransport;

// Answers with what it was asked, twice.
class Echo final : public FuseServer {
 public:
  std::size_t serve(std::span<const std::uint8_t> request, std::size_t room,
                    const Write& write) override {
    ++requests;
    last_room = room;
    if (room < 2 * request.size()) return 0;
    write(0, request);
    write(request.size(), request);
    return 2 * request.size();
  }
  void restart() override { ++restarts; }

  unsigned requests = 0;
  unsigned restarts = 0;
  std::size_t last_room = 0;
};

struct Share {
  Share() : transport(device, 0) { transport.start(); }
  test::FakeQueue& requests() { return transport.ring(VirtioFs::kRequests); }
  Echo server;
  VirtioFs device{server, "share"};
  DrivenTransport transport;
};

TEST(VirtioFs, ConfigHasTagAndOneQueue) {
  const Share share;
  std::array<std::uint8_t, 40> config{};
  share.device.read_config(0, config);
  EXPECT_EQ(std::string(config.begin(), config.begin() + 36), "share" + std::string(31, '\0'));
  EXPECT_EQ(config[36], 1);
  Echo server;
  const VirtioFs full(server, std::string(40, 't'));
  full.read_config(0, config);
  EXPECT_EQ(std::string(config.begin(), config.end()), std::string(36, 't') + '\1' + "\0\0\0"s);
}

TEST(VirtioFs, CarriesRequestsAndAnswers) {
  Share share;
  share.requests().offer({"re", "quest"}, {3, 100});
  ASSERT_TRUE(share.transport.serve(VirtioFs::kRequests));
  EXPECT_EQ(share.requests().take()->bytes, "requestrequest");
  EXPECT_EQ(share.server.last_room, 103U);
  EXPECT_EQ(share.transport.interrupts[VirtioFs::kRequests], 1U);
}

TEST(VirtioFs, WithoutRoomThereIsNoAnswer) {
  Share share;
  share.requests().offer({"request"}, {});
  ASSERT_TRUE(share.transport.serve(VirtioFs::kRequests));
  EXPECT_EQ(share.requests().take()->length, 0U);
}

TEST(VirtioFs, HighPriorityIsServedLikewise) {
  Share share;
  share.transport.ring(VirtioFs::kHighPriority).offer({"x"}, {8});
  ASSERT_TRUE(share.transport.serve(VirtioFs::kHighPriority));
  EXPECT_EQ(share.transport.ring(VirtioFs::kHighPriority).take()->bytes, "xx");
}

TEST(VirtioFs, WhatIsTooLongIsNotServed) {
  Share share;
  share.requests().offer({std::string(FuseServer::kRequestMax, 'x')}, {8});
  share.requests().offer({std::string(FuseServer::kRequestMax, 'x'), "y"}, {8});
  ASSERT_TRUE(share.transport.serve(VirtioFs::kRequests));
  EXPECT_EQ(share.server.requests, 1U);
  EXPECT_TRUE(share.requests().take());
  EXPECT_EQ(share.requests().take()->length, 0U);
}

TEST(VirtioFs, AResetBeginsAnew) {
  Share share;
  share.transport.stop();
  EXPECT_EQ(share.server.restarts, 1U);
}

TEST(VirtioFs, ABrokenQueueIsAnError) {
  Share share;
  share.requests().offer_nonsense();
  EXPECT_FALSE(share.transport.serve(VirtioFs::kRequests));
}

}  // namespace
}  // namespace vmctl
