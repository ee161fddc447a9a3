// SPDX-License-Identifier: GPL-2.0
// Folders of the host's that the guest may mount.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "machine/virtio_slot.hpp"

namespace vmctl {

struct ShareSpec {
  std::string path;
  std::string tag = "share";  // by which the guest knows it
  bool read_only = false;
};

// "FOLDER[,tag=NAME][,ro]"; commas before are the folder's.
Result<ShareSpec> parse_share(std::string_view text);
// A tag is one folder's.
Result<> check_shares(const std::vector<ShareSpec>& shares);

Result<std::unique_ptr<VirtioPort>> open_share(const ShareSpec& spec);

}  // namespace vmctl
