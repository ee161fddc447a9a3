// SPDX-License-Identifier: GPL-2.0
#include "net/spec.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

using Kind = NetSpec::Kind;

TEST(NetSpec, Kinds) {
  EXPECT_EQ(parse_net("none")->kind, Kind::none);
  EXPECT_EQ(parse_net("user")->kind, Kind::user);
  const auto tap = parse_net("tap,ifname=tap0,mac=52:54:00:12:34:5a");
  EXPECT_EQ(tap->kind, Kind::tap);
  EXPECT_EQ(tap->interface, "tap0");
  EXPECT_EQ(tap->mac, (MacAddress{0x52, 0x54, 0, 0x12, 0x34, 0x5a}));
  EXPECT_TRUE(parse_net("user,restrict=on")->restricted);
  EXPECT_FALSE(parse_net("user,restrict=off")->restricted);
}

TEST(NetSpec, Forwards) {
  const auto spec = parse_net("user,hostfwd=tcp:0.0.0.0:2222-10.0.2.16:22,hostfwd=udp::53-:5353");
  ASSERT_TRUE(spec);
  const PortForward first{.udp = false,
                          .host = {0, 0, 0, 0},
                          .host_port = 2222,
                          .guest = {10, 0, 2, 16},
                          .guest_port = 22};
  const PortForward second{.udp = true,
                           .host = {127, 0, 0, 1},
                           .host_port = 53,
                           .guest = {10, 0, 2, 15},
                           .guest_port = 5353};
  EXPECT_EQ(spec->forwards, (std::vector{first, second}));
}

TEST(NetSpec, Refusals) {
  for (const char* text : {"",
                           "usr",
                           "user,",
                           "user,,",
                           "none,mac=52:54:00:12:34:56",
                           "tap",
                           "tap,",
                           "tap,ifname=",
                           "tap,ifname=0123456789abcdef",
                           "tap,ifname=a/b",
                           "tap,ifname=a b",
                           "tap,ifname=..",
                           "tap,ifname=tap%d",
                           "tap,restrict=on,ifname=x",
                           "user,ifname=x",
                           "user,restrict=maybe",
                           "user,hostfwd=",
                           "user,hostfwd=sctp::1-:2",
                           "user,hostfwd=tcp::1",
                           "user,hostfwd=tcp:1-:2",
                           "user,hostfwd=tcp::0-:2",
                           "user,hostfwd=tcp::1-:65536",
                           "user,hostfwd=tcp:1.2.3:1-:2",
                           "user,hostfwd=tcp:localhost:1-:2",
                           "user,mac=",
                           "user,mac=52:54:00:12:34",
                           "user,mac=52:54:00:12:34:5g",
                           "user,mac=52-54-00-12-34-56",
                           "user,mac=01:00:00:00:00:00",
                           "user,mac=00:00:00:00:00:00",
                           "user,mac=+2:54:00:12:34:56"}) {
    const auto spec = parse_net(text);
    ASSERT_FALSE(spec) << text;
    EXPECT_EQ(spec.error().status, Status::usage) << text;
    EXPECT_FALSE(spec.error().why.empty()) << text;
  }
}

TEST(NetSpec, AnAddressOfOnesOwn) {
  const MacAddress mac = mac_for("guest");
  EXPECT_EQ(mac, mac_for("guest"));
  EXPECT_NE(mac, mac_for("guest2"));
  for (const char* name : {"", "guest", "guest2", "x"}) EXPECT_EQ(mac_for(name)[0] & 3, 2) << name;
  EXPECT_EQ(*parse_mac(format_mac(mac)), mac);
  EXPECT_EQ(format_ipv4({10, 0, 2, 15}), "10.0.2.15");
}

}  // namespace
}  // namespace vmctl
