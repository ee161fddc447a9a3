// SPDX-License-Identifier: GPL-2.0-only
//
// Limits: asked for, set for the time of a test, and what is charged against them.
#pragma once

#include <optional>
#include <string>

#include "driver.hpp"

namespace t {

Ret get_limits(int system, std::uint32_t scope, std::uint32_t uid, vmctl_limits* limits);
Ret set_limits(int system, std::uint32_t scope, std::uint32_t uid, std::uint32_t set,
               const __u64 (&values)[VMCTL_RESOURCES]);

// One limit; those of a user replace all that he had of his own.
Ret set_limit(std::uint32_t scope, std::uint32_t uid, unsigned resource, std::uint64_t value);

// What a user, as seen by root, holds of a resource, and how often that was refused.
std::uint64_t used(std::uint32_t uid, unsigned resource);
std::uint64_t refused(std::uint32_t uid, unsigned resource);
// The same of all users.
std::uint64_t used_by_all(unsigned resource);
bool nothing_is_used();

// Remembers the limits of all and of each, and puts them back; users have none of their own after.
class Limits : public Own {
 protected:
  static constexpr uid_t kUser = 12345;

  void SetUp() override;
  void TearDown() override;
  // For tests that want more than anybody should have.
  static void lift();

 private:
  bool known_ = false;
  vmctl_limits total_{};
  vmctl_limits each_{};
  mode_t mode_ = 0;
};

}  // namespace t
