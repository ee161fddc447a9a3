// SPDX-License-Identifier: GPL-2.0-only
#include "limits.hpp"

#include <sys/stat.h>

#include <algorithm>

namespace t {

Ret get_limits(int system, std::uint32_t scope, std::uint32_t uid, vmctl_limits* limits) {
  *limits = {};
  limits->scope = scope;
  limits->uid = uid;
  return ctl(system, VMCTL_GET_LIMITS, limits);
}

Ret set_limits(int system, std::uint32_t scope, std::uint32_t uid, std::uint32_t set,
               const __u64 (&values)[VMCTL_RESOURCES]) {
  vmctl_limits limits{};
  limits.scope = scope;
  limits.uid = uid;
  limits.set = set;
  for (unsigned i = 0; i < VMCTL_RESOURCES; ++i) limits.limit[i] = values[i];
  return ctl(system, VMCTL_SET_LIMITS, &limits);
}

Ret set_limit(std::uint32_t scope, std::uint32_t uid, unsigned resource, std::uint64_t value) {
  __u64 values[VMCTL_RESOURCES] = {};
  values[resource] = value;
  return set_limits(open_device(), scope, uid, 1U << resource, values);
}

std::uint64_t used(std::uint32_t uid, unsigned resource) {
  vmctl_limits limits{};
  EXPECT_EQ(get_limits(open_device(), VMCTL_SCOPE_USER, uid, &limits), 0);
  return limits.used[resource];
}

std::uint64_t refused(std::uint32_t uid, unsigned resource) {
  vmctl_limits limits{};
  EXPECT_EQ(get_limits(open_device(), VMCTL_SCOPE_USER, uid, &limits), 0);
  return limits.refused[resource];
}

std::uint64_t used_by_all(unsigned resource) {
  vmctl_limits limits{};
  EXPECT_EQ(get_limits(open_device(), VMCTL_SCOPE_TOTAL, 0, &limits), 0);
  return limits.used[resource];
}

bool nothing_is_used() {
  vmctl_limits limits{};
  return get_limits(open_device(), VMCTL_SCOPE_TOTAL, 0, &limits).ok() &&
         std::ranges::count(limits.used, 0U) == VMCTL_RESOURCES;
}

void Limits::SetUp() {
  Own::SetUp();
  if (IsSkipped()) return;
  const Fd system = open_device();
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_TOTAL, 0, &total_), 0);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_DEFAULT, 0, &each_), 0);
  struct stat now {};
  ASSERT_EQ(::stat(device().c_str(), &now), 0);
  mode_ = now.st_mode;
  ASSERT_EQ(::chmod(device().c_str(), 0666), 0);
  // What earlier tests closed has gone.
  ASSERT_TRUE(eventually([] { return used_by_all(VMCTL_VMS) == 0; }));
  known_ = true;
}

void Limits::lift() {
  __u64 none[VMCTL_RESOURCES];
  std::ranges::fill(none, VMCTL_UNLIMITED);
  const Fd system = open_device();
  for (const unsigned scope : {VMCTL_SCOPE_TOTAL, VMCTL_SCOPE_DEFAULT}) {
    ASSERT_EQ(set_limits(system, scope, 0, VMCTL_RESOURCES_ALL, none), 0);
  }
}

void Limits::TearDown() {
  if (known_) {
    const Fd system = open_device();
    EXPECT_EQ(set_limits(system, VMCTL_SCOPE_TOTAL, 0, VMCTL_RESOURCES_ALL, total_.limit), 0);
    EXPECT_EQ(set_limits(system, VMCTL_SCOPE_DEFAULT, 0, VMCTL_RESOURCES_ALL, each_.limit), 0);
    vmctl_limits own{};
    while (get_limits(system, VMCTL_SCOPE_NEXT, 0, &own).ok()) {
      ASSERT_EQ(set_limits(system, VMCTL_SCOPE_USER, own.uid, 0, own.limit), 0);
    }
    ::chmod(device().c_str(), mode_);
  }
  Own::TearDown();
  for (unsigned resource = 0; resource < VMCTL_RESOURCES; ++resource) {
    EXPECT_TRUE(eventually([&] { return used_by_all(resource) == 0; }))
        << "still charged of " << resource << ": " << used_by_all(resource);
  }
}

}  // namespace t
