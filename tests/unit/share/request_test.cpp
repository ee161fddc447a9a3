// SPDX-License-Identifier: GPL-2.0
#include "share/request.hpp"

#include <gtest/gtest.h>
#include <linux/fuse.h>

#include <cerrno>

#include "share/fuse_request.hpp"

namespace vmctl {
namespace {

using namespace std::string_literals;
using test::arguments;
using test::fuse_request;

FuseVerdict check(const std::string& request) {
  return check_fuse_request(
      {reinterpret_cast<const std::uint8_t*>(request.data()), request.size()});
}

constexpr FuseVerdict kGood{};

TEST(FuseRequest, NamesAreOfOneComponent) {
  EXPECT_EQ(check_fuse_name("name"), 0);
  EXPECT_EQ(check_fuse_name("..."), 0);
  EXPECT_EQ(check_fuse_name(".hidden"), 0);
  EXPECT_EQ(check_fuse_name(std::string(255, 'n')), 0);
  EXPECT_EQ(check_fuse_name(std::string(256, 'n')), ENAMETOOLONG);
  for (const std::string& name : {""s, "."s, ".."s, "/"s, "a/b"s, "../x"s, "a\0b"s})
    EXPECT_EQ(check_fuse_name(name), EINVAL) << name;
}

TEST(FuseRequest, NamesAreCheckedWhereverTheyStand) {
  const std::string rename = arguments(fuse_rename_in{.newdir = 1});
  const std::string rename2 = arguments(fuse_rename2_in{.newdir = 1});
  struct Row {
    std::uint32_t opcode;
    std::string arguments;
    int error;
  };
  const std::string bad = "..\0"s;
  for (const auto& [opcode, text, error] : std::vector<Row>{
           {FUSE_LOOKUP, "name\0"s, 0},
           {FUSE_LOOKUP, bad, EINVAL},
           {FUSE_LOOKUP, "a/b\0"s, EINVAL},
           {FUSE_LOOKUP, "without an end", EINVAL},
           {FUSE_LOOKUP, "", EINVAL},
           {FUSE_UNLINK, bad, EINVAL},
           {FUSE_RMDIR, bad, EINVAL},
           {FUSE_MKDIR, arguments(fuse_mkdir_in{}) + "x\0"s, 0},
           {FUSE_MKDIR, arguments(fuse_mkdir_in{}) + bad, EINVAL},
           {FUSE_MKNOD, arguments(fuse_mknod_in{}) + bad, EINVAL},
           {FUSE_CREATE, arguments(fuse_create_in{}) + bad, EINVAL},
           {FUSE_LINK, arguments(fuse_link_in{}) + bad, EINVAL},
           {FUSE_SYMLINK, "x\0../anywhere\0"s, 0},
           {FUSE_SYMLINK, "x\0"s, EINVAL},
           {FUSE_SYMLINK, "x\0\0"s, ENOENT},
           {FUSE_SYMLINK, "../x\0y\0"s, EINVAL},
           {FUSE_SYMLINK, "x\0"s + std::string(4096, 'y') + '\0', ENAMETOOLONG},
           {FUSE_RENAME, rename + "a\0b\0"s, 0},
           {FUSE_RENAME, rename + "a\0"s, EINVAL},
           {FUSE_RENAME, rename + "a\0..\0"s, EINVAL},
           {FUSE_RENAME, rename + "..\0b\0"s, EINVAL},
           {FUSE_RENAME2, rename2 + "a\0b/c\0"s, EINVAL},
           {FUSE_RENAME2, rename2 + "a\0b\0"s, 0},
       })
    EXPECT_EQ(check(fuse_request(opcode, 1, text)).error, error) << opcode << ' ' << text;
}

TEST(FuseRequest, LengthsMustBeThere) {
  const std::string whole = fuse_request(FUSE_GETATTR, 1, arguments(fuse_getattr_in{}));
  EXPECT_EQ(check(whole), kGood);
  EXPECT_EQ(check(whole + "x").error, EINVAL);
  EXPECT_EQ(check(whole.substr(0, whole.size() - 1)).error, EINVAL);
  EXPECT_EQ(check(fuse_request(FUSE_GETATTR, 1, "short")).error, EINVAL);
  EXPECT_EQ(check(whole.substr(0, 39)), (FuseVerdict{.error = EINVAL, .answer = false}));
  EXPECT_EQ(check(""), (FuseVerdict{.error = EINVAL, .answer = false}));

  const std::string write = arguments(fuse_write_in{.size = 4});
  EXPECT_EQ(check(fuse_request(FUSE_WRITE, 2, write + "data")), kGood);
  EXPECT_EQ(check(fuse_request(FUSE_WRITE, 2, write + "dat")).error, EINVAL);
  EXPECT_EQ(check(fuse_request(FUSE_WRITE, 2, write + "data+")).error, EINVAL);

  const std::string two = arguments(fuse_batch_forget_in{.count = 2});
  const std::string one = arguments(fuse_forget_one{.nodeid = 1, .nlookup = 1});
  EXPECT_EQ(check(fuse_request(FUSE_BATCH_FORGET, 0, two + one + one)),
            (FuseVerdict{.error = 0, .answer = false}));
  EXPECT_EQ(check(fuse_request(FUSE_BATCH_FORGET, 0, two + one)),
            (FuseVerdict{.error = EINVAL, .answer = false}));
}

TEST(FuseRequest, VersionsOfVirtiofs) {
  const auto init = [](std::uint32_t major, std::uint32_t minor, std::uint32_t flags = 0) {
    return arguments(fuse_init_in{.major = major, .minor = minor, .flags = flags});
  };
  EXPECT_EQ(check(fuse_request(FUSE_INIT, 0, init(7, 31))), kGood);
  EXPECT_EQ(check(fuse_request(FUSE_INIT, 0, init(7, 31).substr(0, 16))), kGood);
  EXPECT_EQ(check(fuse_request(FUSE_INIT, 0, init(7, 99, FUSE_INIT_EXT))), kGood);
  EXPECT_EQ(check(fuse_request(FUSE_INIT, 0, init(7, 99, FUSE_INIT_EXT).substr(0, 16))).error,
            EINVAL);
  EXPECT_EQ(check(fuse_request(FUSE_INIT, 0, init(7, 30))).error, EPROTO);
  EXPECT_EQ(check(fuse_request(FUSE_INIT, 0, init(6, 99))).error, EPROTO);
}

TEST(FuseRequest, WhatIsNotServed) {
  for (const std::uint32_t opcode : {FUSE_GETXATTR, FUSE_SETXATTR, FUSE_IOCTL, FUSE_SETLK,
                                     FUSE_POLL, FUSE_SETUPMAPPING, FUSE_TMPFILE})
    EXPECT_EQ(check(fuse_request(opcode, 1, std::string(64, '\0'))), FuseVerdict{.error = ENOSYS})
        << opcode;
  for (const std::uint32_t opcode : {0U, 4096U, 0xffffffffU})
    EXPECT_EQ(check(fuse_request(opcode, 1, "")), FuseVerdict{.error = ENOSYS}) << opcode;
  for (const std::uint32_t opcode : {FUSE_INTERRUPT, FUSE_NOTIFY_REPLY})
    EXPECT_FALSE(check(fuse_request(opcode, 0, std::string(64, '\0'))).answer) << opcode;
}

}  // namespace
}  // namespace vmctl
