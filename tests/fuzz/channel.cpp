// SPDX-License-Identifier: GPL-2.0
// --console and --com2: "file:PATH".
#include "console/channel.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

std::string text_of(const ChannelSpec& spec) {
  switch (spec.kind) {
    case ChannelSpec::Kind::none:
      return "none";
    case ChannelSpec::Kind::stdio:
      return "stdio";
    case ChannelSpec::Kind::pty:
      return "pty";
    case ChannelSpec::Kind::file:
      return "file:" + spec.path;
    case ChannelSpec::Kind::socket:
      break;
  }
  return "unix:" + spec.path;
}

}  // namespace

FUZZ_TARGET(data, size) {
  const std::string text = Input(data, size).rest();
  const auto spec = parse_channel(text);
  if (is_error(spec)) return 0;
  require(text_of(*spec) == text, "a channel is what was said");
  const bool place =
      spec->kind == ChannelSpec::Kind::file || spec->kind == ChannelSpec::Kind::socket;
  require(place != spec->path.empty(), "a file has a path, and nothing else has");
  return 0;
}
