// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/net.hpp"

#include <gtest/gtest.h>

#include <deque>

#include "dev/virtio/fake_driver.hpp"

namespace vmctl {
namespace {

using test::DrivenTransport;

constexpr std::uint64_t kMergeBuffers = 1ULL << 15;
const std::string kHeader(12, '\0');

class FakeBackend final : public NetBackend {
 public:
  void start(std::function<bool()> handler) override { arrived = std::move(handler); }
  void resume() override { ++resumed; }
  void stop() override { arrived = nullptr; }
  void send(std::span<const std::uint8_t> frame) override {
    sent.emplace_back(frame.begin(), frame.end());
  }
  std::size_t receive(std::span<std::uint8_t> room) override {
    while (!incoming.empty()) {
      const std::string frame = incoming.front();
      incoming.pop_front();
      if (frame.size() > room.size()) continue;
      std::copy(frame.begin(), frame.end(), room.begin());
      return frame.size();
    }
    return 0;
  }

  std::function<bool()> arrived;
  unsigned resumed = 0;
  std::vector<std::string> sent;
  std::deque<std::string> incoming;
};

struct Card {
  explicit Card(std::uint64_t features = kMergeBuffers)
      : device(std::unique_ptr<NetBackend>(backend), {0x52, 0x54, 0, 1, 2, 3}),
        transport(device, features) {
    transport.start();
  }
  test::FakeQueue& receive() { return transport.ring(VirtioNet::kReceive); }
  test::FakeQueue& transmit() { return transport.ring(VirtioNet::kTransmit); }

  FakeBackend* backend = new FakeBackend;  // the device's
  VirtioNet device;
  DrivenTransport transport;
};

std::string received(std::uint16_t buffers, const std::string& frame) {
  std::string header = kHeader;
  header[10] = static_cast<char>(buffers);
  return header + frame;
}

TEST(VirtioNet, ConfigHasAddressAndLink) {
  const Card card;
  std::array<std::uint8_t, 10> config{};
  card.device.read_config(0, config);
  EXPECT_EQ(config, (std::array<std::uint8_t, 10>{0x52, 0x54, 0, 1, 2, 3, 1, 0, 0, 0}));
  EXPECT_EQ(card.device.features(), 1ULL << 5 | 1ULL << 15 | 1ULL << 16);
}

TEST(VirtioNet, SendsFramesWithoutTheirHeader) {
  Card card;
  const std::string frame(60, 'f');
  card.transmit().offer({kHeader, frame.substr(0, 20), frame.substr(20)}, {});
  card.transmit().offer({kHeader + frame}, {});
  ASSERT_TRUE(card.transport.serve(VirtioNet::kTransmit));
  EXPECT_EQ(card.backend->sent, (std::vector{frame, frame}));
  EXPECT_EQ(card.transmit().take()->length, 0U);
  EXPECT_TRUE(card.transmit().take());
  EXPECT_EQ(card.transport.interrupts[VirtioNet::kTransmit], 2U);
}

TEST(VirtioNet, SendsNothingThatIsNoFrame) {
  Card card;
  card.transmit().offer({std::string(5, 'x')}, {});
  card.transmit().offer({kHeader + std::string(13, 'x')}, {});
  card.transmit().offer({kHeader + std::string(NetBackend::kFrameMax + 1, 'x')}, {});
  card.transmit().offer({}, {64});
  ASSERT_TRUE(card.transport.serve(VirtioNet::kTransmit));
  EXPECT_TRUE(card.backend->sent.empty());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(card.transmit().take());
  card.transmit().offer({kHeader + std::string(NetBackend::kFrameMax, 'x')}, {});
  ASSERT_TRUE(card.transport.serve(VirtioNet::kTransmit));
  EXPECT_EQ(card.backend->sent.size(), 1U);
}

TEST(VirtioNet, GivesFramesToTheDriver) {
  Card card;
  card.receive().offer({}, {100});
  card.backend->incoming = {"frame"};
  EXPECT_TRUE(card.backend->arrived());
  const auto used = card.receive().take();
  EXPECT_EQ(used->bytes, received(1, "frame"));
  EXPECT_EQ(card.transport.interrupts[VirtioNet::kReceive], 1U);
}

TEST(VirtioNet, SpreadsAFrameOverBuffers) {
  Card card;
  for (int i = 0; i < 4; ++i) card.receive().offer({}, {8, 8});
  card.backend->incoming = {std::string(30, 'a')};
  EXPECT_TRUE(card.backend->arrived());
  std::string whole;
  for (int i = 0; i < 3; ++i) whole += card.receive().take()->bytes;
  EXPECT_EQ(whole, received(3, std::string(30, 'a')));
  EXPECT_FALSE(card.receive().take());
}

TEST(VirtioNet, WithoutMergingAFrameHasOneBuffer) {
  Card card(0);
  card.receive().offer({}, {20});
  card.receive().offer({}, {100});
  card.backend->incoming = {std::string(50, 'a'), "short"};
  EXPECT_TRUE(card.backend->arrived());
  EXPECT_EQ(card.receive().take()->bytes, received(1, "short"));
  EXPECT_FALSE(card.receive().take());
}

TEST(VirtioNet, AFrameWaitsForBuffers) {
  Card card;
  card.receive().offer({}, {20});
  card.backend->incoming = {std::string(30, 'a'), "b"};
  EXPECT_FALSE(card.backend->arrived());
  EXPECT_FALSE(card.receive().take());
  const unsigned before = card.backend->resumed;
  card.receive().offer({}, {30});
  card.receive().offer({}, {30});
  ASSERT_TRUE(card.transport.serve(VirtioNet::kReceive));
  EXPECT_EQ(card.backend->resumed, before + 1);
  const std::string first = card.receive().take()->bytes;
  EXPECT_EQ(first + card.receive().take()->bytes, received(2, std::string(30, 'a')));
  EXPECT_EQ(card.receive().take()->bytes, received(1, "b"));
}

TEST(VirtioNet, AResetForgetsWhatWaited) {
  Card card;
  card.backend->incoming = {"old"};
  EXPECT_FALSE(card.backend->arrived());
  card.transport.stop();
  card.backend->incoming = {"lost"};
  EXPECT_TRUE(card.backend->arrived());
  EXPECT_TRUE(card.backend->incoming.empty());
  EXPECT_FALSE(card.transport.broken);
}

TEST(VirtioNet, ABrokenQueueIsAnError) {
  Card card;
  card.transmit().offer_nonsense();
  EXPECT_FALSE(card.transport.serve(VirtioNet::kTransmit));
  card.receive().offer_nonsense();
  card.backend->incoming = {"frame"};
  card.backend->arrived();
  EXPECT_TRUE(card.transport.broken);
}

TEST(VirtioNet, OthersGetTheirTurn) {
  Card card;
  for (int i = 0; i < 4; ++i) card.receive().offer({}, {100});
  for (int i = 0; i < 20; ++i) card.backend->incoming.emplace_back("frame");
  EXPECT_FALSE(card.backend->arrived());
  EXPECT_EQ(card.transport.asked_again[VirtioNet::kReceive], 0U);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(card.receive().take());
  for (int i = 0; i < 8; ++i) card.receive().offer({}, {100});
  ASSERT_TRUE(card.transport.serve(VirtioNet::kReceive));
  EXPECT_EQ(card.transport.asked_again[VirtioNet::kReceive], 1U);
}

}  // namespace
}  // namespace vmctl
