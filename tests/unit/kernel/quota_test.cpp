// SPDX-License-Identifier: GPL-2.0
#include "kernel/quota.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

constexpr std::uint32_t kNobodyKnown = ~0U;

vmctl_event event_of(std::uint32_t resource, std::uint32_t scope) {
  vmctl_event event{};
  event.kind = VMCTL_EVENT_LIMIT;
  event.resource = resource;
  event.scope = scope;
  event.payer = 1000;
  event.limit = 4;
  event.used = 3;
  event.wanted = 2;
  return event;
}

Error explained(const vmctl_event& event) {
  Error error{.what = "KVM_CREATE_VM failed"};
  explain_quota(error, event);
  return error;
}

TEST(Quota, OfAUser) {
  const Error error = explained(event_of(VMCTL_VMS, VMCTL_SCOPE_USER));
  EXPECT_EQ(error.what, "KVM_CREATE_VM failed");
  EXPECT_EQ(error.why, "the limit of vms, 4, is reached: 3 in use, 2 wanted");
  EXPECT_EQ(error.advice,
            "end what you do not need (vmctl ps), or ask root for more: vmctl policy set --user "
            "1000 --vms ...");
}

TEST(Quota, OfMemoryOfAllUsers) {
  auto event = event_of(VMCTL_MEMORY, VMCTL_SCOPE_TOTAL);
  event.limit = 4ULL << 30;
  event.used = VMCTL_UNKNOWN;
  event.wanted = 5ULL << 30;
  const Error error = explained(event);
  EXPECT_EQ(error.why, "the limit of memory of all users, 4G, is reached: 5G wanted");
  EXPECT_NE(error.advice.find("vmctl policy set --total --memory ..."), std::string::npos);
}

TEST(Quota, OfAVm) {
  const Error error = explained(event_of(VMCTL_VM_VCPUS, VMCTL_SCOPE_USER));
  EXPECT_EQ(error.why, "the limit of vm_vcpus, 4, is reached: 3 in use, 2 wanted");
  EXPECT_NE(error.advice.find("--user 1000 --vm-vcpus ..."), std::string::npos) << error.advice;
}

TEST(Quota, OfOneWhomTheNamespaceDoesNotKnow) {
  auto event = event_of(VMCTL_VMS, VMCTL_SCOPE_USER);
  event.payer = kNobodyKnown;
  EXPECT_NE(explained(event).advice.find("outside of this user namespace"), std::string::npos);
}

TEST(Quota, OtherErrorsAreAsTheyAre) {
  const Error charged = explain_charged("KVM_CREATE_VM", {EINVAL});
  EXPECT_EQ(charged.text(), explain("KVM_CREATE_VM", {EINVAL}).text());
}

}  // namespace
}  // namespace vmctl
