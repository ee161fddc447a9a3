// SPDX-License-Identifier: GPL-2.0
// Disks of the guest's: a file with nothing but the disk's bytes, or a block device.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "machine/virtio_slot.hpp"

namespace vmctl {

struct DiskSpec {
  std::string path;
  bool read_only = false;
};

// "FILE" or "FILE,ro".
Result<DiskSpec> parse_disk(std::string_view text);

// Opens it, with a lock (flock(2)) that keeps others of us from writing, or from reading what is
// written to, at the same time. `number`: among the machine's disks, from 0 on.
Result<std::unique_ptr<VirtioPort>> open_disk(const DiskSpec& spec, std::size_t number);

}  // namespace vmctl
