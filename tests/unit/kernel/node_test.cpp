// SPDX-License-Identifier: GPL-2.0
#include "kernel/node.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "kernel/ioctl.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(Node, AnAbsentModuleNamesBothWaysOn) {
  const Error error = explain_open(kVmctlPath, ENOENT);
  EXPECT_EQ(error.status, Status::unavailable);
  EXPECT_NE(error.advice.find("vmctl module load"), std::string::npos);
  EXPECT_NE(error.advice.find("--device /dev/kvm"), std::string::npos);
}

TEST(Node, PermissionIsToldFromAbsence) {
  const Error error = explain_open("/etc/shadow", EACCES);
  EXPECT_EQ(error.status, Status::refused);
  EXPECT_NE(error.why.find("group"), std::string::npos);
}

TEST(Node, RefusesWhatIsNeitherVmctlNorKvm) {
  const test::TemporaryFolder folder;
  for (const std::string& path : {std::string("/dev/null"), folder.file("file", "x")}) {
    const auto node = Node::open(path);
    ASSERT_FALSE(node);
    EXPECT_EQ(node.error().status, Status::unavailable);
    EXPECT_EQ(node.error().where, path);
  }
  EXPECT_EQ(Node::open(folder.path("missing")).error().status, Status::unavailable);
}

TEST(Ioctl, QuotaAndPolicyAreRefusals) {
  for (const int code : {EDQUOT, EPERM, EACCES, ENODEV})
    EXPECT_EQ(explain("KVM_CREATE_VM", {code}).status, Status::refused) << code;
  EXPECT_EQ(explain("KVM_CREATE_VM", {ENOMEM}).status, Status::unavailable);
  const Error older = explain("VMCTL_GET_EVENT", {ENOTTY});
  EXPECT_EQ(older.status, Status::unavailable);
  EXPECT_NE(older.why.find("older than this vmctl"), std::string::npos);
  EXPECT_EQ(explain("KVM_CREATE_VM", {ENOTTY}).why.find("older"), std::string::npos);
  EXPECT_EQ(explain("KVM_CREATE_VM", {EINVAL}).status, Status::internal);
  EXPECT_NE(explain("KVM_CREATE_VM", {EINVAL}).what.find("KVM_CREATE_VM"), std::string::npos);
}

TEST(Ioctl, WhatIsUsedUpOrHeldByOthersSaysWhatToDo) {
  const Error held = explain("KVM_CREATE_VM", {EBUSY});
  EXPECT_EQ(held.status, Status::unavailable);
  EXPECT_NE(held.why.find("another hypervisor"), std::string::npos) << held.why;
  EXPECT_NE(held.advice.find("VirtualBox"), std::string::npos) << held.advice;
  const Error files = explain("KVM_CREATE_VCPU", {EMFILE});
  EXPECT_EQ(files.status, Status::unavailable);
  EXPECT_NE(files.advice.find("ulimit -n"), std::string::npos) << files.advice;
}

}  // namespace
}  // namespace vmctl
