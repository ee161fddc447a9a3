// SPDX-License-Identifier: GPL-2.0
#include "net/slirp.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <condition_variable>
#include <cstring>
#include <string>

namespace vmctl {
namespace {

using Frame = std::vector<std::uint8_t>;
using namespace std::chrono_literals;

constexpr MacAddress kMac{0x52, 0x54, 0, 1, 2, 3};

void append(Frame& frame, std::initializer_list<int> bytes) {
  for (const int byte : bytes) frame.push_back(static_cast<std::uint8_t>(byte));
}

Frame ethernet(bool broadcast, int type) {
  Frame frame(6, broadcast ? 0xff : 0x52);
  frame.insert(frame.end(), kMac.begin(), kMac.end());
  append(frame, {type >> 8, type & 0xff});
  return frame;
}

// RFC 826: who has 10.0.2.X?
Frame arp_request(int host) {
  Frame frame = ethernet(true, 0x0806);
  append(frame, {0, 1, 8, 0, 6, 4, 0, 1});
  frame.insert(frame.end(), kMac.begin(), kMac.end());
  append(frame, {10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, host});
  return frame;
}

std::uint16_t checksum(const Frame& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += bytes[i] << 8 | bytes[i + 1];
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

// RFC 2131, without a checksum of UDP.
Frame dhcp_discover() {
  Frame message(236, 0);
  message[0] = 1;
  message[1] = 1;
  message[2] = 6;
  std::copy(kMac.begin(), kMac.end(), message.begin() + 28);
  append(message, {99, 130, 83, 99, 53, 1, 1, 255});
  Frame udp;
  const int udp_length = static_cast<int>(message.size()) + 8;
  append(udp, {0, 68, 0, 67, udp_length >> 8, udp_length & 0xff, 0, 0});
  udp.insert(udp.end(), message.begin(), message.end());
  Frame ip;
  const int length = udp_length + 20;
  append(ip, {0x45, 0, length >> 8, length & 0xff, 0,   0,   0,  0, 64, 17, 0, 0, 0,
              0,    0, 0,           255,           255, 255, 255});
  const std::uint16_t sum = checksum(ip);
  ip[10] = static_cast<std::uint8_t>(sum >> 8);
  ip[11] = static_cast<std::uint8_t>(sum & 0xff);
  Frame frame = ethernet(true, 0x0800);
  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), udp.begin(), udp.end());
  return frame;
}

// The guest: keeps what it is given, for wait().
class Guest {
 public:
  explicit Guest(const NetSpec& spec) : network(std::move(*SlirpNetwork::open(spec))) {
    network->start([this] {
      std::array<std::uint8_t, NetBackend::kFrameMax> room{};
      for (;;) {
        const std::size_t size = network->receive(room);
        if (size == 0) return true;
        const std::lock_guard guard(lock_);
        frames_.emplace_back(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
        more_.notify_all();
      }
    });
  }
  ~Guest() { network->stop(); }

  Frame wait(std::chrono::milliseconds longest = 20s) {
    std::unique_lock guard(lock_);
    if (!more_.wait_for(guard, longest, [this] { return !frames_.empty(); })) return {};
    const Frame frame = frames_.front();
    frames_.pop_front();
    return frame;
  }

  std::unique_ptr<NetBackend> network;

 private:
  std::mutex lock_;
  std::condition_variable more_;
  std::deque<Frame> frames_;
};

TEST(Slirp, TheHostAnswers) {
  Guest guest({.kind = NetSpec::Kind::user});
  guest.network->send(arp_request(2));
  const Frame answer = guest.wait();
  ASSERT_GE(answer.size(), 42U);
  EXPECT_TRUE(std::equal(kMac.begin(), kMac.end(), answer.begin()));
  EXPECT_EQ(answer[21], 2);  // a reply
  EXPECT_EQ(Frame(answer.begin() + 28, answer.begin() + 32), (Frame{10, 0, 2, 2}));
}

TEST(Slirp, DhcpGivesTheAddress) {
  Guest guest({.kind = NetSpec::Kind::user});
  guest.network->send(dhcp_discover());
  const Frame answer = guest.wait();
  constexpr std::size_t kYourAddress = 14 + 20 + 8 + 16;
  ASSERT_GE(answer.size(), kYourAddress + 4);
  EXPECT_EQ(Frame(answer.begin() + kYourAddress, answer.begin() + kYourAddress + 4),
            (Frame{10, 0, 2, 15}));
}

TEST(Slirp, NonsenseIsTaken) {
  Guest guest({.kind = NetSpec::Kind::user});
  guest.network->send({});
  guest.network->send(Frame(13, 0xff));
  guest.network->send(Frame(NetBackend::kFrameMax + 1, 0xff));
  for (const int type : {0x0800, 0x0806, 0x86dd, 0x88f8, 0})
    for (const std::size_t size : {14, 15, 20, 34, 60, 1514, 65549}) {
      Frame frame = ethernet(false, type);
      frame.resize(size, 0x45);
      guest.network->send(frame);
    }
  guest.network->send(arp_request(3));
  EXPECT_FALSE(guest.wait().empty());
}

TEST(Slirp, FramesWaitForBuffersAndAreBounded) {
  auto network = std::move(*SlirpNetwork::open({.kind = NetSpec::Kind::user}));
  std::atomic<int> calls = 0;
  std::atomic<bool> buffers = false;
  std::array<std::uint8_t, NetBackend::kFrameMax> room{};
  std::atomic<unsigned> got = 0;
  network->start([&] {
    ++calls;
    if (!buffers) return false;
    while (network->receive(room) > 0) ++got;
    return true;
  });
  for (std::size_t i = 0; i < SlirpNetwork::kWaitingMax + 10; ++i) network->send(arp_request(2));
  while (calls == 0) std::this_thread::yield();
  std::this_thread::sleep_for(20ms);
  EXPECT_EQ(calls, 1);
  buffers = true;
  while (got < SlirpNetwork::kWaitingMax) network->resume();
  network->stop();
  EXPECT_EQ(got, SlirpNetwork::kWaitingMax);
}

TEST(Slirp, APortThatIsTakenIsExplained) {
  const Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(::bind(listener.get(), generic, size), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  ASSERT_EQ(::getsockname(listener.get(), generic, &size), 0);
  const PortForward taken{.host_port = ntohs(address.sin_port), .guest_port = 22};
  const auto network = SlirpNetwork::open({.kind = NetSpec::Kind::user, .forwards = {taken}});
  ASSERT_FALSE(network);
  EXPECT_EQ(network.error().why, "Address already in use");
  EXPECT_EQ(network.error().where, "TCP port " + std::to_string(taken.host_port) + " on 127.0.0.1");
}

}  // namespace
}  // namespace vmctl
