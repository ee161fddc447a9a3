// SPDX-License-Identifier: GPL-2.0
#include "net/spec.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/bytes.hpp"
#include "base/size.hpp"

namespace vmctl {
namespace {

Failure refuse(std::string_view text, std::string why, std::string advice = "") {
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", escaped(text)),
               .why = std::move(why),
               .advice = std::move(advice)});
}

// What stands before the separator, which is taken off with it; all of it where there is none.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view part = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
  return part;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const auto port = parse_number(text);
  if (!port || *port == 0 || *port > std::numeric_limits<std::uint16_t>::max())
    return refuse(text, "not a port: 1 to 65535 are");
  return static_cast<std::uint16_t>(*port);
}

Result<Ipv4> parse_ipv4(std::string_view text) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string(text).c_str(), &address) != 1 ||
      text.find('\0') != std::string_view::npos)
    return refuse(text, "not an IPv4 address (as in 127.0.0.1)");
  const std::uint32_t number = ntohl(address.s_addr);
  return Ipv4{static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
              static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

// [ADDRESS]:PORT
Result<> parse_end(std::string_view text, Ipv4& address, std::uint16_t& port) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return refuse(text, "not [ADDRESS]:PORT");
  if (colon > 0) address = TRY(parse_ipv4(text.substr(0, colon)));
  port = TRY(parse_port(text.substr(colon + 1)));
  return {};
}

Result<PortForward> parse_forward(std::string_view text) {
  constexpr std::string_view kForm = "as in hostfwd=tcp:127.0.0.1:2222-:22";
  const std::string_view whole = text;
  PortForward forward;
  const std::string_view protocol = take_until(text, ':');
  if (protocol != "tcp" && protocol != "udp")
    return refuse(whole, "neither tcp nor udp", std::string(kForm));
  forward.udp = protocol == "udp";
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos)
    return refuse(whole, "no '-' between the host's port and the guest's", std::string(kForm));
  TRY(parse_end(text.substr(0, dash), forward.host, forward.host_port));
  TRY(parse_end(text.substr(dash + 1), forward.guest, forward.guest_port));
  return forward;
}

Result<std::string> parse_interface(std::string_view text) {
  const auto odd = [](char c) { return c <= ' ' || c > '~' || c == '/' || c == ':' || c == '%'; };
  if (text.empty() || text.size() >= IFNAMSIZ || text == "." || text == ".." ||
      std::any_of(text.begin(), text.end(), odd))
    return refuse(text, fmt::format("not the name of an interface: 1 to {} characters, without "
                                    "blanks, '/', ':' and '%'",
                                    IFNAMSIZ - 1));
  return std::string(text);
}

Result<bool> parse_switch(std::string_view text) {
  if (text != "on" && text != "off") return refuse(text, "neither on nor off");
  return text == "on";
}

Result<> parse_option(std::string_view option, NetSpec& spec) {
  const std::string_view whole = option;
  const std::string_view name = take_until(option, '=');
  const bool user = spec.kind == NetSpec::Kind::user;
  if (name == "mac")
    spec.mac = TRY(parse_mac(option));
  else if (name == "hostfwd" && user)
    spec.forwards.push_back(TRY(parse_forward(option)));
  else if (name == "restrict" && user)
    spec.restricted = TRY(parse_switch(option));
  else if (name == "ifname" && spec.kind == NetSpec::Kind::tap)
    spec.interface = TRY(parse_interface(option));
  else
    return refuse(whole, user ? "user has the options hostfwd=, restrict= and mac="
                              : "tap has the options ifname= and mac=");
  return {};
}

}  // namespace

Result<NetSpec> parse_net(std::string_view text) {
  const std::string_view whole = text;
  const std::string_view kind = take_until(text, ',');
  NetSpec spec;
  if (whole == "none") return spec;
  if (kind == "user")
    spec.kind = NetSpec::Kind::user;
  else if (kind == "tap")
    spec.kind = NetSpec::Kind::tap;
  else
    return refuse(whole, "not a network: none, user[,OPTIONS] or tap,ifname=NAME");
  if (whole.ends_with(',')) return refuse(whole, "an option is missing after the last ','");
  while (!text.empty()) TRY(parse_option(take_until(text, ','), spec));
  if (spec.kind == NetSpec::Kind::tap && spec.interface.empty())
    return refuse(whole, "no interface", "tap,ifname=NAME names one");
  return spec;
}

Result<MacAddress> parse_mac(std::string_view text) {
  constexpr std::size_t kLength = 17;
  MacAddress mac{};
  bool good = text.size() == kLength;
  for (std::size_t i = 0; good && i < mac.size(); ++i) {
    const char* digits = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, mac[i], 16);
    good = error == std::errc() && end == digits + 2 && (i == 5 || *end == ':');
  }
  if (!good) return refuse(text, "not a MAC address (as in 52:54:00:12:34:56)");
  if ((mac[0] & 1) != 0) return refuse(text, "a group's address; a card has one of its own");
  if (mac == MacAddress{}) return refuse(text, "no address of a card");
  return mac;
}

std::string format_mac(const MacAddress& mac) {
  return hex(mac, ":");
}

std::string format_ipv4(const Ipv4& address) {
  return fmt::format("{}.{}.{}.{}", address[0], address[1], address[2], address[3]);
}

MacAddress mac_for(std::string_view name) {
  // FNV-1a, 64 bits.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  MacAddress mac{};
  for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<std::uint8_t>(hash >> (8 * i));
  mac[0] = static_cast<std::uint8_t>((mac[0] & 0xfc) | 2);  // one card's, and locally administered
  return mac;
}

}  // namespace vmctl
