// SPDX-License-Identifier: GPL-2.0
#include "console/attach_place.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "temporary.hpp"

namespace vmctl {
namespace {

class AttachPlaceTest : public testing::Test {
 protected:
  AttachPlaceTest() {
    const char* const was = std::getenv("XDG_RUNTIME_DIR");
    if (was != nullptr) before = was;
    ::setenv("XDG_RUNTIME_DIR", folder.path("run").c_str(), 1);
    ::mkdir(folder.path("run").c_str(), 0700);
  }
  ~AttachPlaceTest() override {
    before.empty() ? ::unsetenv("XDG_RUNTIME_DIR") : ::setenv("XDG_RUNTIME_DIR", before.c_str(), 1);
  }
  std::string before;
  const test::TemporaryFolder folder;
  const std::string own = folder.path("run/vmctl");
};

TEST_F(AttachPlaceTest, AFolderIsMadeForOneselfAlone) {
  EXPECT_EQ(make_attach_folder().value(), own);
  struct stat status {};
  ASSERT_EQ(::stat(own.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0700U);
  EXPECT_EQ(make_attach_folder().value(), own);  // and found again
  EXPECT_TRUE(is_private_folder(own, ::geteuid()));
  EXPECT_FALSE(is_private_folder(own, ::geteuid() + 1));
}

TEST_F(AttachPlaceTest, WhatOthersCanUseIsNotTaken) {
  ::mkdir(own.c_str(), 0700);
  for (const mode_t mode : {0710U, 0701U, 0777U, 01777U}) {
    ::chmod(own.c_str(), mode);
    EXPECT_FALSE(is_private_folder(own, ::geteuid())) << mode;
    const auto other = make_attach_folder();
    EXPECT_TRUE(!other || *other != own) << mode;
  }
}

TEST_F(AttachPlaceTest, ALinkIsNoFolder) {
  ::mkdir(folder.path("mine").c_str(), 0700);
  ASSERT_EQ(::symlink(folder.path("mine").c_str(), own.c_str()), 0);
  EXPECT_FALSE(is_private_folder(own, ::geteuid()));
}

TEST_F(AttachPlaceTest, AParentThatOthersWriteToIsNotTrusted) {
  ::chmod(folder.path("run").c_str(), 0777);
  const auto other = make_attach_folder();
  EXPECT_TRUE(!other || *other != own);
}

TEST_F(AttachPlaceTest, OthersAreLookedForWhereTheyMayBe) {
  const auto folders = attach_folders(::geteuid() + 1);
  EXPECT_EQ(std::ranges::count(folders, own), 0);
  EXPECT_EQ(std::ranges::count(folders, "/tmp/vmctl-" + std::to_string(::geteuid() + 1)), 1);
}

TEST_F(AttachPlaceTest, Names) {
  EXPECT_EQ(attach_name(7, 812), "vm-7.sock");
  EXPECT_EQ(attach_name(0, 812), "pid-812.sock");
}

}  // namespace
}  // namespace vmctl
