// SPDX-License-Identifier: GPL-2.0
// --net and --share.
#include "net/spec.hpp"

#include "machine/share.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

std::string text_of(const PortForward& forward) {
  return (forward.udp ? "udp:" : "tcp:") + format_ipv4(forward.host) + ':' +
         std::to_string(forward.host_port) + '-' + format_ipv4(forward.guest) + ':' +
         std::to_string(forward.guest_port);
}

std::string text_of(const NetSpec& spec) {
  std::string text;
  if (spec.kind == NetSpec::Kind::none) return "none";
  if (spec.kind == NetSpec::Kind::tap) text = "tap,ifname=" + spec.interface;
  if (spec.kind == NetSpec::Kind::user) text = "user";
  for (const PortForward& forward : spec.forwards) text += ",hostfwd=" + text_of(forward);
  if (spec.restricted) text += ",restrict=on";
  if (spec.mac != MacAddress{}) text += ",mac=" + format_mac(spec.mac);
  return text;
}

}  // namespace

FUZZ_TARGET(data, size) {
  const std::string text = Input(data, size).rest();
  if (const auto net = parse_net(text); !is_error(net)) {
    const auto again = parse_net(text_of(*net));
    require(again.has_value(), "a network can be said");
    require(text_of(*again) == text_of(*net), "and is what was said");
    require(net->interface.size() < 16 && (net->mac[0] & 1) == 0, "names and addresses are such");
  }
  if (const auto share = parse_share(text); !is_error(share)) {
    require(text.starts_with(share->path) && !share->path.empty(), "a share has a folder");
    require(!share->tag.empty() && share->tag.size() <= 36, "and a tag");
  }
  return 0;
}
