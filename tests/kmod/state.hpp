// SPDX-License-Identifier: GPL-2.0-only
//
// What the driver and KVM hold at a time, for tests that must bring it back.
#pragma once

#include <linux/vmctl.h>

#include <array>
#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace t {

struct State {
  std::vector<std::string> rows;  // of the table, without ids and exits
  std::uint32_t vms = 0;
  std::uint32_t vcpus = 0;
  std::array<std::uint64_t, VMCTL_RESOURCES> charged{};  // to all users together
  std::string references;                                // to the module
  std::vector<int> fds;                                  // of this process
  std::vector<std::string> kernel_fds;                   // of kernel threads
  std::size_t kvm_folders = 0;

  static State now();
  // The same when all that earlier tests closed has gone; with nothing open.
  static State at_rest();
  // Files are released a little after they are closed.
  static bool returns_to(const State& state);

  bool operator==(const State&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const State& state);
};

}  // namespace t
