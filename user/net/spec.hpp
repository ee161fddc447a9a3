// SPDX-License-Identifier: GPL-2.0
// A network card as the user asks for it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace vmctl {

using MacAddress = std::array<std::uint8_t, 6>;
// IPv4, first number first.
using Ipv4 = std::array<std::uint8_t, 4>;

// A port of the host that leads to one of the guest.
struct PortForward {
  bool udp = false;
  Ipv4 host{127, 0, 0, 1};
  std::uint16_t host_port = 0;
  Ipv4 guest{10, 0, 2, 15};
  std::uint16_t guest_port = 0;
  bool operator==(const PortForward&) const = default;
};

struct NetSpec {
  enum class Kind : std::uint8_t { none, user, tap };
  Kind kind = Kind::none;
  std::string interface;              // of a tap
  std::vector<PortForward> forwards;  // user
  bool restricted = false;            // user: nothing leaves but through forwards
  // As it was given; all zeros: one is to be chosen.
  MacAddress mac{};
};

// "none", "user[,hostfwd=tcp|udp:[HOST]:PORT-[GUEST]:PORT]…[,restrict=on|off][,mac=MAC]" or
// "tap,ifname=NAME[,mac=MAC]".
Result<NetSpec> parse_net(std::string_view text);

// "52:54:00:12:34:56"; refuses a group's address, and zero.
Result<MacAddress> parse_mac(std::string_view text);
std::string format_mac(const MacAddress& mac);
std::string format_ipv4(const Ipv4& address);

// A locally administered address; the same for the same name.
MacAddress mac_for(std::string_view name);

}  // namespace vmctl
