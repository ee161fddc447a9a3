// SPDX-License-Identifier: GPL-2.0
#include "machine/share.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "dev/virtio/fs.hpp"
#include "share/session.hpp"

namespace vmctl {
namespace {

class SharePort final : public VirtioPort {
 public:
  SharePort(std::unique_ptr<FuseServer> server, std::string_view tag)
      : server_(std::move(server)), fs_(*server_, tag) {}
  VirtioDevice& device() override { return fs_; }

 private:
  std::unique_ptr<FuseServer> server_;
  VirtioFs fs_;
};

Failure refuse(std::string_view text, std::string why) {
  return fail(
      {.status = Status::usage, .what = fmt::format("'{}'", escaped(text)), .why = std::move(why)});
}

Result<std::string> parse_tag(std::string_view tag) {
  const auto odd = [](char c) { return c <= ' ' || c > '~'; };
  if (tag.empty() || tag.size() > VirtioFs::kTagMax || std::any_of(tag.begin(), tag.end(), odd))
    return refuse(tag,
                  fmt::format("not a tag: 1 to {} characters, without blanks", VirtioFs::kTagMax));
  return std::string(tag);
}

}  // namespace

Result<ShareSpec> parse_share(std::string_view text) {
  constexpr std::string_view kTag = "tag=";
  ShareSpec spec;
  for (std::size_t comma = 0; (comma = text.rfind(',')) != std::string_view::npos;) {
    const std::string_view option = text.substr(comma + 1);
    if (option == "ro")
      spec.read_only = true;
    else if (option.starts_with(kTag))
      spec.tag = TRY(parse_tag(option.substr(kTag.size())));
    else
      break;
    text = text.substr(0, comma);
  }
  if (text.empty()) return refuse(text, "no folder (FOLDER[,tag=NAME][,ro])");
  spec.path = text;
  return spec;
}

Result<> check_shares(const std::vector<ShareSpec>& shares) {
  for (auto share = shares.begin(); share != shares.end(); ++share)
    if (std::any_of(shares.begin(), share,
                    [&](const ShareSpec& other) { return other.tag == share->tag; }))
      return fail({.status = Status::usage,
                   .what = fmt::format("--share {}", escaped(share->path)),
                   .why = fmt::format("another folder has the tag {}", share->tag),
                   .advice = "give it one of its own: --share FOLDER,tag=NAME"});
  return {};
}

Result<std::unique_ptr<VirtioPort>> open_share(const ShareSpec& spec) {
  std::unique_ptr<FuseServer> server = TRY(ShareSession::open(spec.path, spec.read_only));
  return std::unique_ptr<VirtioPort>(std::make_unique<SharePort>(std::move(server), spec.tag));
}

}  // namespace vmctl
