// SPDX-License-Identifier: GPL-2.0
#include "share/session.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "share/fuse_request.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

using namespace std::string_literals;
using test::arguments;

constexpr std::uint64_t kRoot = 1;

struct Answered {
  int error;
  std::string body;
  template <class T>
  T as() const {
    T value{};
    EXPECT_GE(body.size(), sizeof value);
    std::memcpy(&value, body.data(), std::min(body.size(), sizeof value));
    return value;
  }
};

// The guest's kernel.
struct Guest {
  explicit Guest(bool read_only = false) {
    session = std::move(*ShareSession::open(top.path(""), read_only));
  }

  std::string raw(const std::string& request, std::size_t room = 1 << 21) {
    // At a multiple of 8, and without a byte behind it that could be read.
    std::vector<std::uint8_t> copy(request.begin(), request.end());
    std::string answer;
    const std::size_t length =
        session->serve(copy, room, [&](std::size_t at, std::span<const std::uint8_t> bytes) {
          EXPECT_LE(at + bytes.size(), room);
          answer.resize(std::max(answer.size(), at + bytes.size()));
          std::copy(bytes.begin(), bytes.end(), answer.begin() + static_cast<std::ptrdiff_t>(at));
        });
    EXPECT_EQ(length, answer.size());
    return answer;
  }
  Answered ask(std::uint32_t opcode, std::uint64_t node, const std::string& text) {
    const std::string answer = raw(test::fuse_request(opcode, node, text));
    fuse_out_header header{};
    EXPECT_GE(answer.size(), sizeof header);
    std::memcpy(&header, answer.data(), std::min(answer.size(), sizeof header));
    EXPECT_EQ(header.len, answer.size());
    EXPECT_EQ(header.unique, 42U);
    return {-header.error, answer.substr(sizeof header)};
  }
  Answered init() {
    return ask(FUSE_INIT, 0,
               arguments(fuse_init_in{.major = 7,
                                      .minor = 38,
                                      .max_readahead = 1 << 17,
                                      .flags = FUSE_INIT_EXT | FUSE_MAX_PAGES | FUSE_ASYNC_READ |
                                               FUSE_HANDLE_KILLPRIV | FUSE_POSIX_LOCKS}));
  }
  Answered look_up(const std::string& name) { return ask(FUSE_LOOKUP, kRoot, name + '\0'); }
  std::uint64_t inode(const std::string& name) { return look_up(name).as<fuse_entry_out>().nodeid; }
  std::uint64_t open(std::uint64_t inode, int flags) {
    return ask(FUSE_OPEN, inode,
               arguments(fuse_open_in{.flags = static_cast<std::uint32_t>(flags)}))
        .as<fuse_open_out>()
        .fh;
  }

  test::TemporaryFolder top;
  std::unique_ptr<ShareSession> session;
};

TEST(ShareSession, SpeaksWithTheGuest) {
  Guest guest;
  const auto init = guest.init();
  ASSERT_EQ(init.error, 0);
  const auto out = init.as<fuse_init_out>();
  EXPECT_EQ(out.major, 7U);
  EXPECT_EQ(out.max_write, FuseServer::kDataMax);
  EXPECT_EQ(out.max_pages, 256);
  EXPECT_EQ(out.flags & (FUSE_HANDLE_KILLPRIV | FUSE_POSIX_LOCKS), 0U);
}

TEST(ShareSession, NothingBeforeInitAndOneInit) {
  Guest guest;
  EXPECT_EQ(guest.look_up("x").error, EIO);
  EXPECT_EQ(guest.init().error, 0);
  EXPECT_EQ(guest.init().error, EIO);
}

TEST(ShareSession, BeginsAnewAfterDestroyAndRestart) {
  Guest guest;
  guest.top.file("file", "");
  guest.init();
  const std::uint64_t inode = guest.inode("file");
  guest.open(inode, O_RDONLY);
  EXPECT_EQ(guest.ask(FUSE_DESTROY, 0, "").error, 0);
  EXPECT_EQ(guest.session->folder().known_inodes(), 1U);
  EXPECT_EQ(guest.session->folder().open_files(), 0U);
  EXPECT_EQ(guest.look_up("file").error, EIO);
  EXPECT_EQ(guest.init().error, 0);
  EXPECT_EQ(guest.look_up("file").error, 0);
  guest.session->restart();
  EXPECT_EQ(guest.session->folder().known_inodes(), 1U);
  EXPECT_EQ(guest.init().error, 0);
}

TEST(ShareSession, ReadsAndWrites) {
  Guest guest;
  guest.top.file("file", "0123456789");
  guest.init();
  const std::uint64_t inode = guest.inode("file");
  const std::uint64_t handle = guest.open(inode, O_RDWR);
  const auto read = [&](std::uint64_t at, std::uint32_t size) {
    return guest.ask(FUSE_READ, inode,
                     arguments(fuse_read_in{.fh = handle, .offset = at, .size = size}));
  };
  EXPECT_EQ(read(2, 3).body, "234");
  EXPECT_EQ(read(8, 100).body, "89");
  EXPECT_EQ(read(100, 100).body, "");
  EXPECT_EQ(read(0, 0xffffffff).body, "0123456789");
  const std::string large(FuseServer::kDataMax, 'x');
  const auto wrote =
      guest.ask(FUSE_WRITE, inode,
                arguments(fuse_write_in{
                    .fh = handle, .offset = 5, .size = static_cast<std::uint32_t>(large.size())}) +
                    large);
  EXPECT_EQ(wrote.as<fuse_write_out>().size, large.size());
  EXPECT_EQ(read(3, FuseServer::kDataMax).body, "34" + large.substr(2));
  EXPECT_EQ(guest.ask(FUSE_FLUSH, inode, arguments(fuse_flush_in{.fh = handle})).error, 0);
  EXPECT_EQ(guest.ask(FUSE_FSYNC, inode, arguments(fuse_fsync_in{.fh = handle})).error, 0);
  EXPECT_EQ(guest.ask(FUSE_RELEASE, inode, arguments(fuse_release_in{.fh = handle})).error, 0);
  EXPECT_EQ(read(0, 1).error, EBADF);
}

TEST(ShareSession, AnswersFitTheirRoom) {
  Guest guest;
  guest.top.file("file", std::string(100, 'x'));
  guest.init();
  const std::uint64_t inode = guest.inode("file");
  const std::uint64_t handle = guest.open(inode, O_RDONLY);
  const std::string request = test::fuse_request(
      FUSE_READ, inode, arguments(fuse_read_in{.fh = handle, .offset = 0, .size = 100}));
  EXPECT_EQ(guest.raw(request, 116).size(), 116U);
  const std::string refused = guest.raw(request, 115);
  ASSERT_EQ(refused.size(), sizeof(fuse_out_header));
  fuse_out_header header{};
  std::memcpy(&header, refused.data(), sizeof header);
  EXPECT_EQ(header.error, -EIO);
  EXPECT_EQ(guest.raw(request, 15), "");
  EXPECT_EQ(guest.raw(request, 0), "");
}

TEST(ShareSession, ListsInPieces) {
  Guest guest;
  std::set<std::string> made{".", ".."};
  for (int i = 0; i < 100; ++i) {
    made.insert("a rather long name, so that pieces are few " + std::to_string(i));
    guest.top.file(*made.rbegin(), "");
  }
  for (const std::string& name : made)
    if (name[0] == 'a') guest.top.file(name, "");
  guest.init();
  const auto opened = guest.ask(FUSE_OPENDIR, kRoot, arguments(fuse_open_in{}));
  const std::uint64_t handle = opened.as<fuse_open_out>().fh;
  std::set<std::string> seen;
  std::uint64_t at = 0;
  for (;;) {
    const std::string part =
        guest
            .ask(FUSE_READDIR, kRoot,
                 arguments(fuse_read_in{.fh = handle, .offset = at, .size = 1000}))
            .body;
    ASSERT_LE(part.size(), 1000U);
    if (part.empty()) break;
    for (std::size_t offset = 0; offset < part.size();) {
      fuse_dirent entry{};
      std::memcpy(&entry, part.data() + offset, FUSE_NAME_OFFSET);
      seen.insert(part.substr(offset + FUSE_NAME_OFFSET, entry.namelen));
      at = entry.off;
      offset += FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + entry.namelen);
    }
  }
  EXPECT_EQ(seen, made);
  EXPECT_EQ(guest.ask(FUSE_RELEASEDIR, kRoot, arguments(fuse_release_in{.fh = handle})).error, 0);
}

TEST(ShareSession, TheRestOfTheOperations) {
  Guest guest;
  guest.init();
  const auto made =
      guest.ask(FUSE_CREATE, kRoot,
                arguments(fuse_create_in{.flags = O_RDWR, .mode = S_IFREG | 0644}) + "file\0"s);
  ASSERT_EQ(made.error, 0);
  const std::uint64_t inode = made.as<fuse_entry_out>().nodeid;
  const auto open_out = Answered{0, made.body.substr(sizeof(fuse_entry_out))}.as<fuse_open_out>();
  const std::uint64_t handle = open_out.fh;
  const auto changed =
      guest.ask(FUSE_SETATTR, inode,
                arguments(fuse_setattr_in{.valid = FATTR_MODE | FATTR_SIZE | FATTR_FH | FATTR_MTIME,
                                          .fh = handle,
                                          .size = 77,
                                          .mtime = 1000,
                                          .mode = 0600}));
  EXPECT_EQ(changed.as<fuse_attr_out>().attr.size, 77U);
  EXPECT_EQ(changed.as<fuse_attr_out>().attr.mtime, 1000U);
  EXPECT_EQ(changed.as<fuse_attr_out>().attr.mode & 07777U, 0600U);
  EXPECT_EQ(
      guest.ask(FUSE_GETATTR, inode, arguments(fuse_getattr_in{})).as<fuse_attr_out>().attr.size,
      77U);
  EXPECT_EQ(
      guest.ask(FUSE_FALLOCATE, inode, arguments(fuse_fallocate_in{.fh = handle, .length = 99}))
          .error,
      0);
  // A hole alone has no data to be found.
  EXPECT_EQ(
      guest.ask(FUSE_WRITE, inode, arguments(fuse_write_in{.fh = handle, .size = 1}) + "x").error,
      0);
  EXPECT_EQ(
      guest.ask(FUSE_LSEEK, inode, arguments(fuse_lseek_in{.fh = handle, .whence = SEEK_HOLE}))
          .error,
      0);
  EXPECT_EQ(
      guest.ask(FUSE_MKDIR, kRoot, arguments(fuse_mkdir_in{.mode = 0755}) + "folder\0"s).error, 0);
  EXPECT_EQ(guest.ask(FUSE_SYMLINK, kRoot, "link\0/etc/passwd\0"s).error, 0);
  EXPECT_EQ(guest.ask(FUSE_READLINK, guest.inode("link"), "").body, "/etc/passwd");
  EXPECT_EQ(
      guest.ask(FUSE_LINK, kRoot, arguments(fuse_link_in{.oldnodeid = inode}) + "two\0"s).error, 0);
  EXPECT_EQ(
      guest.ask(FUSE_MKNOD, kRoot, arguments(fuse_mknod_in{.mode = S_IFIFO | 0600}) + "fifo\0"s)
          .error,
      0);
  EXPECT_EQ(guest
                .ask(FUSE_MKNOD, kRoot,
                     arguments(fuse_mknod_in{.mode = S_IFCHR | 0600, .rdev = 0x103}) + "null\0"s)
                .error,
            EPERM);
  EXPECT_EQ(guest
                .ask(FUSE_RENAME2, kRoot,
                     arguments(fuse_rename2_in{.newdir = guest.inode("folder")}) + "two\0three\0"s)
                .error,
            0);
  EXPECT_EQ(guest.ask(FUSE_UNLINK, kRoot, "fifo\0"s).error, 0);
  EXPECT_EQ(guest.ask(FUSE_RMDIR, kRoot, "folder\0"s).error, ENOTEMPTY);
  EXPECT_GT(guest.ask(FUSE_STATFS, kRoot, "").as<fuse_statfs_out>().st.bsize, 0U);
  EXPECT_EQ(guest.ask(FUSE_GETXATTR, kRoot, arguments(fuse_getxattr_in{}) + "user.x\0"s).error,
            ENOSYS);
}

TEST(ShareSession, ForgetsWithoutAnAnswer) {
  Guest guest;
  guest.top.file("file", "");
  guest.init();
  const std::uint64_t inode = guest.inode("file");
  EXPECT_EQ(guest.inode("file"), inode);
  EXPECT_EQ(guest.raw(test::fuse_request(FUSE_FORGET, inode, arguments(fuse_forget_in{1}))), "");
  EXPECT_EQ(guest.session->folder().known_inodes(), 2U);
  EXPECT_EQ(guest.raw(test::fuse_request(FUSE_BATCH_FORGET, 0,
                                         arguments(fuse_batch_forget_in{.count = 1}) +
                                             arguments(fuse_forget_one{inode, 1}))),
            "");
  EXPECT_EQ(guest.session->folder().known_inodes(), 1U);
}

TEST(ShareSession, WhatIsRefusedIsAnsweredAndHarmsNothing) {
  Guest guest;
  guest.init();
  EXPECT_EQ(guest.ask(FUSE_LOOKUP, kRoot, "..\0"s).error, EINVAL);
  EXPECT_EQ(guest.ask(FUSE_LOOKUP, kRoot, "no end").error, EINVAL);
  EXPECT_EQ(guest.ask(FUSE_LOOKUP, 77, "x\0"s).error, ESTALE);
  EXPECT_EQ(guest.raw(""), "");
  EXPECT_EQ(guest.raw(std::string(39, '\xff')), "");
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(guest.raw(test::fuse_request(FUSE_INTERRUPT, 0, std::string(8, 'x'))), "");
  EXPECT_EQ(guest.raw(test::fuse_request(FUSE_NOTIFY_REPLY, 0, std::string(40, 'x'))), "");
  EXPECT_EQ(guest.look_up("x").error, ENOENT);
}

TEST(ShareSession, ReadOnly) {
  Guest guest(true);
  guest.init();
  EXPECT_EQ(guest.ask(FUSE_MKDIR, kRoot, arguments(fuse_mkdir_in{.mode = 0755}) + "x\0"s).error,
            EROFS);
}

}  // namespace
}  // namespace vmctl
