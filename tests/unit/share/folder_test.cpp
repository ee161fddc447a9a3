// SPDX-License-Identifier: GPL-2.0
#include "share/folder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/fs.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>

#include "temporary.hpp"

namespace vmctl {
namespace {

using namespace std::string_literals;

constexpr std::uint64_t kRoot = Inodes::kRoot;

std::string contents(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// TOP/secret, and TOP/share, which is shared.
struct Shared {
  explicit Shared(bool read_only = false) {
    std::filesystem::create_directory(top.path("share"));
    top.file("secret", "secret");
    folder.emplace(std::move(*Folder::open(top.path("share"), read_only)));
  }
  std::string path(std::string_view name) const { return top.path("share/" + std::string(name)); }
  std::string file(std::string_view name, std::string_view text) const {
    return top.file("share/" + std::string(name), text);
  }
  std::uint64_t inode(const char* name, std::uint64_t parent = kRoot) {
    return folder->look_up(parent, name)->inode;
  }
  int error_of_open(const char* name, int flags) {
    const auto opened = folder->open_file(inode(name), flags);
    return opened ? 0 : opened.error();
  }
  std::string read(std::uint64_t handle, off_t at = 0) {
    std::string text(100, '\0');
    text.resize(*folder->read(handle, at, {reinterpret_cast<std::uint8_t*>(text.data()), 100}));
    return text;
  }
  ForGuest<std::size_t> write(std::uint64_t handle, std::string_view text, off_t at = 0) {
    return folder->write(handle, at,
                         {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  std::set<std::string> names(std::uint64_t handle) {
    std::set<std::string> all;
    EXPECT_TRUE(
        folder->list(kRoot, handle, 0, 4096, [&](const char* name, const struct stat&, off_t) {
          all.insert(name);
          return true;
        }));
    return all;
  }

  test::TemporaryFolder top;
  std::optional<Folder> folder;
  FileOwner me{.uid = ::geteuid(), .gid = ::getegid()};
};

TEST(Folder, FilesAreReadAndWritten) {
  Shared shared;
  shared.file("old", "old text");
  const auto old = shared.folder->open_file(shared.inode("old"), O_RDONLY);
  EXPECT_EQ(shared.read(old->handle, 4), "text");
  EXPECT_EQ(shared.write(old->handle, "x").error(), EBADF);

  const auto made = shared.folder->create(kRoot, "new", 0640, O_RDWR, shared.me);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->found.status.st_mode, static_cast<mode_t>(S_IFREG | 0640));
  EXPECT_EQ(shared.write(made->handle, "hello", 3).value(), 5U);
  EXPECT_EQ(shared.read(made->handle, 0), "\0\0\0hello"s);
  EXPECT_TRUE(shared.folder->sync(made->handle, false));
  EXPECT_TRUE(shared.folder->flush(made->handle));
  shared.folder->close(made->handle);
  EXPECT_EQ(contents(shared.path("new")).size(), 8U);
  std::uint8_t byte = 0;
  EXPECT_EQ(shared.folder->read(made->handle, 0, {&byte, 1}).error(), EBADF);
}

TEST(Folder, ModesAreJustWhatIsAsked) {
  Shared shared;
  const mode_t before = ::umask(027);
  const auto made = shared.folder->create(kRoot, "file", 0666, O_WRONLY, shared.me);
  const auto folder = shared.folder->make_folder(kRoot, "folder", 0777, shared.me);
  EXPECT_EQ(::umask(before), 027U);
  EXPECT_EQ(made->found.status.st_mode & 07777, 0666U);
  EXPECT_EQ(folder->status.st_mode & 07777, 0777U);
}

TEST(Folder, AFileThatExistsIsOpenedByCreate) {
  Shared shared;
  shared.file("file", "text");
  EXPECT_EQ(shared.folder->create(kRoot, "file", 0600, O_RDWR | O_EXCL, shared.me).error(), EEXIST);
  const auto opened = shared.folder->create(kRoot, "file", 0600, O_RDWR, shared.me);
  EXPECT_EQ(shared.read(opened->handle), "text");
  ASSERT_TRUE(shared.folder->create(kRoot, "file", 0600, O_RDWR | O_TRUNC, shared.me));
  EXPECT_EQ(contents(shared.path("file")), "");
}

TEST(Folder, LinksAreTextsAlone) {
  Shared shared;
  ASSERT_TRUE(shared.folder->make_link(kRoot, "link", "../secret", shared.me));
  const std::uint64_t link = shared.inode("link");
  EXPECT_TRUE(S_ISLNK(shared.folder->status(link)->st_mode));
  EXPECT_EQ(shared.folder->read_link(link), "../secret");
  EXPECT_EQ(shared.error_of_open("link", O_RDONLY), EACCES);
  EXPECT_EQ(shared.folder->create(kRoot, "link", 0600, O_RDWR, shared.me).error(), EACCES);
  EXPECT_FALSE(shared.folder->change(link, {.size = 0}, std::nullopt));
  EXPECT_FALSE(shared.folder->change(link, {.mode = 0777}, std::nullopt));
  EXPECT_EQ(shared.folder->look_up(link, "x").error(), ENOTDIR);
  EXPECT_EQ(shared.folder->open_folder(link).error(), ENOTDIR);
  // A folder by a link: neither is that followed.
  ASSERT_TRUE(shared.folder->make_link(kRoot, "up", "..", shared.me));
  EXPECT_EQ(shared.folder->look_up(shared.inode("up"), "secret").error(), ENOTDIR);
  EXPECT_EQ(contents(shared.top.path("secret")), "secret");
}

TEST(Folder, AHardLinkIsToWhatTheGuestHas) {
  Shared shared;
  shared.file("file", "text");
  ASSERT_TRUE(shared.folder->link(shared.inode("file"), kRoot, "second"));
  EXPECT_EQ(contents(shared.path("second")), "text");
  EXPECT_EQ(shared.inode("second"), shared.inode("file"));
  // Of a link it is another link, not what that leads to.
  ASSERT_TRUE(shared.folder->make_link(kRoot, "link", "../secret", shared.me));
  ASSERT_TRUE(shared.folder->link(shared.inode("link"), kRoot, "again"));
  EXPECT_TRUE(std::filesystem::is_symlink(shared.path("again")));
}

TEST(Folder, NothingIsOpenedButFilesAndFolders) {
  Shared shared;
  ASSERT_TRUE(shared.folder->make_node(kRoot, "fifo", S_IFIFO | 0600, shared.me));
  ASSERT_TRUE(shared.folder->make_node(kRoot, "socket", S_IFSOCK | 0600, shared.me));
  EXPECT_EQ(shared.error_of_open("fifo", O_RDONLY), EACCES);
  EXPECT_EQ(shared.error_of_open("socket", O_RDONLY), EACCES);
  EXPECT_EQ(shared.folder->create(kRoot, "fifo", 0600, O_WRONLY, shared.me).error(), EACCES);
  EXPECT_EQ(shared.folder->change(shared.inode("fifo"), {.size = 0}, std::nullopt).error(), EACCES);
  EXPECT_EQ(shared.folder->open_file(kRoot, O_RDONLY).error(), EISDIR);
}

TEST(Folder, NothingDangerousIsMade) {
  Shared shared;
  for (const mode_t type : {S_IFCHR, S_IFBLK, S_IFDIR, S_IFLNK})
    EXPECT_EQ(shared.folder->make_node(kRoot, "node", type | 0600, shared.me).error(), EPERM);
  EXPECT_EQ(shared.folder->make_node(kRoot, "x", S_IFREG | 04755, shared.me).error(), EPERM);
  EXPECT_EQ(shared.folder->create(kRoot, "x", 02755, O_RDWR, shared.me).error(), EPERM);
  const std::string file = shared.file("file", "text");
  const std::uint64_t inode = shared.inode("file");
  EXPECT_EQ(shared.folder->change(inode, {.mode = 04755}, std::nullopt).error(), EPERM);
  EXPECT_TRUE(shared.folder->change(inode, {.mode = 0755}, std::nullopt));
  // What the host has set stays possible.
  ASSERT_EQ(::chmod(file.c_str(), 04755), 0);
  EXPECT_TRUE(shared.folder->change(inode, {.mode = 04711}, std::nullopt));
  EXPECT_TRUE(shared.folder->make_folder(kRoot, "sticky", 03777, shared.me));
  EXPECT_EQ(shared.folder->rename(kRoot, "file", kRoot, "x", RENAME_WHITEOUT).error(), EINVAL);
}

TEST(Folder, NamesChange) {
  Shared shared;
  shared.file("a", "a");
  shared.file("b", "b");
  const auto folder = shared.folder->make_folder(kRoot, "folder", 0755, shared.me);
  EXPECT_EQ(shared.folder->rename(kRoot, "a", kRoot, "b", RENAME_NOREPLACE).error(), EEXIST);
  EXPECT_TRUE(shared.folder->rename(kRoot, "a", kRoot, "b", RENAME_EXCHANGE));
  EXPECT_EQ(contents(shared.path("a")), "b");
  EXPECT_TRUE(shared.folder->rename(kRoot, "a", folder->inode, "c", 0));
  EXPECT_EQ(contents(shared.path("folder/c")), "b");
  // Known inodes stay the same, wherever their names go.
  const std::uint64_t c = shared.inode("c", folder->inode);
  EXPECT_TRUE(shared.folder->rename(folder->inode, "c", kRoot, "b", 0));
  EXPECT_EQ(shared.inode("b"), c);
  EXPECT_TRUE(shared.folder->remove(kRoot, "b", false));
  EXPECT_EQ(shared.folder->remove(kRoot, "folder", false).error(), EISDIR);
  EXPECT_TRUE(shared.folder->remove(kRoot, "folder", true));
  EXPECT_EQ(shared.folder->look_up(kRoot, "b").error(), ENOENT);
  EXPECT_TRUE(shared.folder->status(c));
}

TEST(Folder, AttributesChange) {
  Shared shared;
  shared.file("file", "0123456789");
  const std::uint64_t inode = shared.inode("file");
  const auto changed = shared.folder->change(
      inode, {.mode = 0600, .size = 4, .modification = {.tv_sec = 1000, .tv_nsec = 5}},
      std::nullopt);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->st_mode & 07777, 0600U);
  EXPECT_EQ(changed->st_size, 4);
  EXPECT_EQ(changed->st_mtim.tv_sec, 1000);
  EXPECT_EQ(changed->st_mtim.tv_nsec, 5);
  const auto opened = shared.folder->open_file(inode, O_RDWR);
  EXPECT_EQ(shared.folder->change(inode, {.size = 8}, opened->handle)->st_size, 8);
  EXPECT_FALSE(shared.folder->change(inode, {.size = -1}, opened->handle));
  EXPECT_TRUE(shared.folder->allocate(opened->handle, 0, 0, 100));
  EXPECT_EQ(shared.folder->status(inode)->st_size, 100);
  EXPECT_EQ(shared.folder->seek(opened->handle, 0, SEEK_SET).error(), EINVAL);
  EXPECT_EQ(shared.folder->seek(opened->handle, 0, SEEK_DATA), 0);
}

TEST(Folder, ReadOnlyMeansThat) {
  Shared shared(true);
  shared.file("file", "text");
  shared.file("other", "text");
  const std::uint64_t inode = shared.inode("file");
  Folder& folder = *shared.folder;
  EXPECT_EQ(folder.create(kRoot, "file", 0600, O_RDONLY, shared.me).error(), EROFS);
  EXPECT_EQ(folder.make_folder(kRoot, "x", 0755, shared.me).error(), EROFS);
  EXPECT_EQ(folder.make_node(kRoot, "x", S_IFREG | 0600, shared.me).error(), EROFS);
  EXPECT_EQ(folder.make_link(kRoot, "x", "file", shared.me).error(), EROFS);
  EXPECT_EQ(folder.link(inode, kRoot, "x").error(), EROFS);
  EXPECT_EQ(folder.remove(kRoot, "file", false).error(), EROFS);
  EXPECT_EQ(folder.remove(kRoot, "file", true).error(), EROFS);
  EXPECT_EQ(folder.rename(kRoot, "file", kRoot, "x", 0).error(), EROFS);
  EXPECT_EQ(folder.change(inode, {.mode = 0600}, std::nullopt).error(), EROFS);
  for (const int flags : {O_WRONLY, O_RDWR, O_RDONLY | O_TRUNC})
    EXPECT_EQ(folder.open_file(inode, flags).error(), EROFS) << flags;
  const auto opened = folder.open_file(inode, O_RDONLY);
  EXPECT_EQ(shared.read(opened->handle), "text");
  EXPECT_EQ(shared.write(opened->handle, "x").error(), EROFS);
  EXPECT_EQ(folder.allocate(opened->handle, 0, 0, 10).error(), EROFS);
  EXPECT_EQ(contents(shared.path("file")), "text");
}

TEST(Folder, ListsWhatIsThere) {
  Shared shared;
  std::set<std::string> made{".", ".."};
  for (int i = 0; i < 300; ++i) {
    made.insert("file" + std::to_string(i));
    shared.file("file" + std::to_string(i), "");
  }
  const auto opened = shared.folder->open_folder(kRoot);
  EXPECT_EQ(shared.names(opened->handle), made);
  // A few at a time.
  std::set<std::string> seen;
  off_t at = 0;
  for (bool more = true; more;) {
    int room = 7;
    more = false;
    ASSERT_TRUE(shared.folder->list(kRoot, opened->handle, at, 0,
                                    [&](const char* name, const struct stat&, off_t next) {
                                      if (room-- == 0) return false;
                                      seen.insert(name);
                                      at = next;
                                      more = true;
                                      return true;
                                    }));
  }
  EXPECT_EQ(seen, made);
  EXPECT_EQ(shared.folder->list(kRoot, opened->handle + 1, 0, 0, nullptr).error(), EBADF);
  std::uint8_t byte = 0;
  EXPECT_EQ(shared.folder->read(opened->handle, 0, {&byte, 1}).error(), EBADF);
}

TEST(Folder, WhatLiesAboveHasNoNumber) {
  Shared shared;
  struct stat top {};
  ASSERT_EQ(::stat(shared.top.path("").c_str(), &top), 0);
  const auto opened = shared.folder->open_folder(kRoot);
  ASSERT_TRUE(shared.folder->list(kRoot, opened->handle, 0, 4096,
                                  [&](const char*, const struct stat& status, off_t) {
                                    EXPECT_NE(status.st_ino, top.st_ino);
                                    return true;
                                  }));
}

TEST(Folder, InodesGoWithTheirLastLookup) {
  Shared shared;
  shared.file("file", "");
  const std::uint64_t inode = shared.inode("file");
  EXPECT_EQ(shared.inode("file"), inode);
  EXPECT_EQ(shared.folder->known_inodes(), 2U);
  shared.folder->forget(inode, 1);
  EXPECT_TRUE(shared.folder->status(inode));
  shared.folder->forget(inode, 100);
  EXPECT_EQ(shared.folder->status(inode).error(), ESTALE);
  shared.folder->forget(inode, 1);
  shared.folder->forget(kRoot, 100);
  EXPECT_TRUE(shared.folder->status(kRoot));
  EXPECT_NE(shared.inode("file"), inode);
  ASSERT_TRUE(shared.folder->open_folder(kRoot));
  shared.folder->forget_all();
  EXPECT_EQ(shared.folder->known_inodes(), 1U);
  EXPECT_EQ(shared.folder->open_files(), 0U);
}

TEST(Folder, OffsetsThatAreNone) {
  Shared shared;
  const auto made = shared.folder->create(kRoot, "file", 0600, O_RDWR, shared.me);
  constexpr off_t kLast = std::numeric_limits<off_t>::max();
  std::array<std::uint8_t, 8> bytes{};
  for (const off_t at : {off_t{-1}, kLast, kLast - 7, std::numeric_limits<off_t>::min()}) {
    EXPECT_FALSE(shared.folder->write(made->handle, at, bytes)) << at;
    const auto got = shared.folder->read(made->handle, at, bytes);
    EXPECT_TRUE(!got || *got == 0) << at;
  }
}

TEST(Folder, WhatCannotBeShared) {
  const test::TemporaryFolder top;
  EXPECT_EQ(Folder::open(top.path("missing"), false).error().status, Status::no_input);
  const auto file = Folder::open(top.file("file", ""), false);
  EXPECT_EQ(file.error().why, "Not a directory");
  EXPECT_EQ(file.error().where, top.path("file"));
}

// As root alone: files are the guest's users', and this thread is itself again afterwards.
TEST(Folder, FilesBelongToWhoMakesThem) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  Shared shared;
  std::filesystem::permissions(shared.path(""), std::filesystem::perms::all);
  std::filesystem::permissions(shared.top.path(""), std::filesystem::perms::all);
  const FileOwner other{.uid = 1234, .gid = 1235};
  for (const auto& found : {shared.folder->create(kRoot, "file", 0600, O_RDWR, other)->found,
                            *shared.folder->make_folder(kRoot, "folder", 0700, other),
                            *shared.folder->make_node(kRoot, "node", S_IFREG | 0600, other),
                            *shared.folder->make_link(kRoot, "link", "x", other)}) {
    EXPECT_EQ(found.status.st_uid, 1234U);
    EXPECT_EQ(found.status.st_gid, 1235U);
  }
  const auto mine = shared.folder->make_node(kRoot, "mine", S_IFREG | 0600, shared.me);
  EXPECT_EQ(mine->status.st_uid, 0U);
  EXPECT_EQ(mine->status.st_gid, ::getegid());
  // What he may not do on the host he may not do here.
  std::filesystem::permissions(shared.path(""), std::filesystem::perms::owner_all);
  EXPECT_EQ(shared.folder->make_folder(kRoot, "no", 0700, other).error(), EACCES);
}

}  // namespace
}  // namespace vmctl
