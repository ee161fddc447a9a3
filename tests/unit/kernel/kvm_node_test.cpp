// SPDX-License-Identifier: GPL-2.0
#include "kernel/kvm_node.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "base/file.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

constexpr mode_t kUsual = 0660;

// Nodes of the right numbers, in a folder of their own: nobody opens them.
class KvmNode : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!make(nodes_.kvm, 10, 232)) GTEST_SKIP() << "may not make nodes";
    ASSERT_TRUE(make(nodes_.own, 245, 0));
    ASSERT_EQ(::chmod(nodes_.kvm.c_str(), kUsual), 0);
    folder_.file("parameter", nodes_.kvm);
  }
  static bool make(const std::string& path, unsigned major, unsigned minor) {
    return ::mknod(path.c_str(), S_IFCHR | 0600, makedev(major, minor)) == 0;
  }
  static std::string look(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) return "none";
    if (S_ISLNK(found.st_mode)) return "link";
    return std::to_string(major(found.st_rdev)) + ":" + std::to_string(minor(found.st_rdev)) + " " +
           std::to_string((found.st_mode & 0777U) >> 6U) +
           std::to_string(found.st_mode >> 3U & 7U) + std::to_string(found.st_mode & 7U);
  }
  // Where the module looks for KVM's node.
  std::string told() const { return read_line(nodes_.parameter); }
  // As at first, and nothing left over.
  void expect_untouched() const {
    EXPECT_EQ(look(nodes_.kvm), "10:232 660");
    EXPECT_EQ(look(nodes_.kvm + ".vmctl"), "none");
  }

  test::TemporaryFolder folder_;
  KvmNodes nodes_{.real = folder_.path("kvm-real"),
                  .kvm = folder_.path("kvm"),
                  .own = folder_.path("vmctl"),
                  .parameter = folder_.path("parameter")};
};

TEST_F(KvmNode, IsReplacedAndPutBack) {
  EXPECT_FALSE(kvm_is_replaced(nodes_));
  ASSERT_TRUE(replace_kvm(nodes_));
  EXPECT_TRUE(kvm_is_replaced(nodes_));
  EXPECT_EQ(look(nodes_.kvm), "245:0 660") << "whoever could open it still can";
  EXPECT_EQ(look(nodes_.real), "10:232 600");
  EXPECT_EQ(told(), nodes_.real);
  ASSERT_TRUE(restore_kvm(nodes_));
  expect_untouched();
  EXPECT_EQ(look(nodes_.real), "none");
}

TEST_F(KvmNode, WhatStandsInTheWayStays) {
  ASSERT_EQ(::symlink("nowhere", nodes_.real.c_str()), 0);
  const auto done = replace_kvm(nodes_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().where, nodes_.real);
  expect_untouched();
  EXPECT_EQ(told(), nodes_.kvm);
  EXPECT_EQ(look(nodes_.real), "link");
}

TEST_F(KvmNode, NowhereToGo) {
  for (const std::string& real : {folder_.path("no/such/folder"), std::string("/proc/kvm-real"),
                                  std::string("kvm-real"), std::string()}) {
    nodes_.real = real;
    const auto done = replace_kvm(nodes_);
    ASSERT_FALSE(done) << real;
    EXPECT_EQ(done.error().status, Status::usage);
    expect_untouched();
  }
}

TEST_F(KvmNode, AModuleThatCannotBeTold) {
  ASSERT_EQ(::unlink(nodes_.parameter.c_str()), 0);
  const auto done = replace_kvm(nodes_);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().where, nodes_.parameter);
  expect_untouched();
  EXPECT_EQ(look(nodes_.real), "none");
}

// Who may open KVM's by an ACL may open what stands there, and the other way round.
TEST_F(KvmNode, AnAclGoesAlong) {
  constexpr const char* kAcl = "system.posix_acl_access";
  // Version 2; user::rw, user:7:rw, group::rw, mask::rw, other::- (linux/posix_acl_xattr.h).
  constexpr unsigned char kValue[] = {
      2, 0, 0,    0,    1,    0,    6,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,   6,
      0, 7, 0,    0,    0,    4,    0,  6, 0,    0xff, 0xff, 0xff, 0xff, 16,  0,
      6, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0,    0,    0xff, 0xff, 0xff, 0xff};
  if (::setxattr(nodes_.kvm.c_str(), kAcl, kValue, sizeof kValue, 0) != 0)
    GTEST_SKIP() << "no ACLs here";
  const auto acl = [](const std::string& path) {
    std::string value(256, '\0');
    value.resize(std::max(ssize_t{0}, ::getxattr(path.c_str(), kAcl, value.data(), value.size())));
    return value;
  };
  const std::string before = acl(nodes_.kvm);
  ASSERT_EQ(before.size(), sizeof kValue);
  ASSERT_TRUE(replace_kvm(nodes_));
  EXPECT_EQ(acl(nodes_.kvm), before);
  EXPECT_EQ(look(nodes_.real), "10:232 600") << "its mask lets nobody in";
  ASSERT_TRUE(restore_kvm(nodes_));
  EXPECT_EQ(acl(nodes_.kvm), before);
}

TEST_F(KvmNode, WithoutTheModulesNode) {
  ASSERT_EQ(::unlink(nodes_.own.c_str()), 0);
  EXPECT_FALSE(replace_kvm(nodes_));
  expect_untouched();
}

TEST_F(KvmNode, ThatIsNotKvms) {
  ASSERT_EQ(::unlink(nodes_.kvm.c_str()), 0);
  EXPECT_FALSE(replace_kvm(nodes_));
  ASSERT_TRUE(make(nodes_.kvm, 1, 3));
  EXPECT_FALSE(replace_kvm(nodes_));
  EXPECT_EQ(look(nodes_.kvm), "1:3 600");
  EXPECT_FALSE(restore_kvm(nodes_)) << "there is nothing to put back";
}

TEST_F(KvmNode, LeftReplacedIsFound) {
  EXPECT_FALSE(left_replaced(nodes_));
  const std::string real = nodes_.real;
  ASSERT_TRUE(replace_kvm(nodes_));
  ASSERT_EQ(::unlink(nodes_.own.c_str()), 0);  // as rmmod does
  nodes_.real.clear();
  const auto left = left_replaced(nodes_);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->real, real);
  ASSERT_TRUE(restore_kvm(*left));
  expect_untouched();
  EXPECT_FALSE(left_replaced(nodes_));
}

TEST_F(KvmNode, BrokenOffHalfWay) {
  ASSERT_EQ(::link(nodes_.kvm.c_str(), nodes_.real.c_str()), 0);
  const auto left = left_replaced(nodes_);
  ASSERT_TRUE(left);
  ASSERT_TRUE(restore_kvm(*left));
  expect_untouched();
  EXPECT_EQ(look(nodes_.real), "none");
}

TEST_F(KvmNode, BrokenOffHalfWayAndBegunAnew) {
  ASSERT_EQ(::link(nodes_.kvm.c_str(), nodes_.real.c_str()), 0);
  ASSERT_TRUE(make(nodes_.kvm + ".vmctl", 245, 0));
  ASSERT_TRUE(replace_kvm(nodes_));
  EXPECT_EQ(look(nodes_.kvm), "245:0 660");
  EXPECT_EQ(look(nodes_.real), "10:232 600");
  // Before KVM's node was root's alone.
  ASSERT_EQ(::chmod(nodes_.real.c_str(), 0666), 0);
  ASSERT_TRUE(replace_kvm(nodes_));
  EXPECT_EQ(look(nodes_.real), "10:232 600");
}

// A link, as somebody may make to help himself, has a mode that means nothing.
TEST_F(KvmNode, WhatIsNoNodeSaysNothingOfWhoMayOpenIt) {
  ASSERT_TRUE(replace_kvm(nodes_));
  ASSERT_EQ(::unlink(nodes_.kvm.c_str()), 0);
  ASSERT_EQ(::symlink("kvm-real", nodes_.kvm.c_str()), 0);
  ASSERT_TRUE(restore_kvm(nodes_));
  EXPECT_EQ(look(nodes_.kvm), "10:232 600");
}

TEST_F(KvmNode, ASecondNodeIsNoneOfOurs) {
  ASSERT_TRUE(make(folder_.path("mine"), 10, 232));
  EXPECT_FALSE(left_replaced(nodes_));
}

}  // namespace
}  // namespace vmctl
