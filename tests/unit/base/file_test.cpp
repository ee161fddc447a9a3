// SPDX-License-Identifier: GPL-2.0
#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>

#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(ReadFile, AsMuchAsThereIsUpToItsBound) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(read_file(folder.file("empty", "")), "");
  EXPECT_EQ(read_file(folder.file("chunk", std::string(4097, 'x'))), std::string(4097, 'x'));
  const auto large = read_file(folder.file("large", std::string((1 << 20) + 1, 'x')));
  ASSERT_TRUE(large);
  EXPECT_EQ(large->size(), std::size_t{1} << 20);
}

TEST(ReadFile, NothingAndErrnoIfItCannotBeRead) {
  const test::TemporaryFolder folder;
  errno = 0;
  EXPECT_FALSE(read_file(folder.path("absent")));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(read_file(folder.path("")));
  EXPECT_EQ(errno, EISDIR);
}

TEST(ReplaceFile, WritesWhatIsNewAndKeepsTheModeOfTheOld) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("a/b/policy");
  const auto mode = [&] {
    struct stat found {};
    EXPECT_EQ(::stat(path.c_str(), &found), 0);
    return found.st_mode & 07777U;
  };
  ASSERT_TRUE(replace_file(path, "one\n"));
  EXPECT_EQ(read_file(path), "one\n");
  EXPECT_EQ(mode(), 0644U);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  ASSERT_TRUE(replace_file(path, ""));
  EXPECT_EQ(read_file(path), "");
  EXPECT_EQ(mode(), 0600U);
}

TEST(ReplaceFile, ASymbolicLinkStays) {
  const test::TemporaryFolder folder;
  const std::string target = folder.file("target", "old");
  const std::string link = folder.path("link");
  ASSERT_EQ(::symlink(target.c_str(), link.c_str()), 0);
  ASSERT_TRUE(replace_file(link, "new"));
  EXPECT_EQ(read_file(target), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
}

TEST(ReplaceFile, ASymbolicLinkToNothingStays) {
  const test::TemporaryFolder folder;
  ASSERT_TRUE(std::filesystem::create_directory(folder.path("there")));
  const std::string link = folder.path("link");
  ASSERT_EQ(::symlink("there/policy", link.c_str()), 0);
  ASSERT_TRUE(replace_file(link, "new"));
  EXPECT_EQ(read_file(folder.path("there/policy")), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  ASSERT_EQ(::symlink("round", folder.path("round").c_str()), 0);
  EXPECT_TRUE(replace_file(folder.path("round"), "new")) << "one in a ring is replaced";
}

TEST(ReplaceFile, WhoseItWas) {
  if (::geteuid() != 0) GTEST_SKIP() << "may not give files away";
  const test::TemporaryFolder folder;
  const std::string path = folder.file("policy", "old");
  ASSERT_EQ(::chown(path.c_str(), 12, 34), 0);
  ASSERT_TRUE(replace_file(path, "new"));
  struct stat found {};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_uid, 12U);
  EXPECT_EQ(found.st_gid, 34U);
}

TEST(ReplaceFile, InAFolderThatOthersCannotWriteTo) {
  const test::TemporaryFolder folder;
  const mode_t before = ::umask(0);
  EXPECT_TRUE(replace_file(folder.path("new/policy"), "x"));
  ::umask(before);
  struct stat found {};
  ASSERT_EQ(::stat(folder.path("new").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0755U);
}

TEST(WriteFile, IntoWhatIsThere) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("value", "12345");
  EXPECT_TRUE(write_file(path, "67"));
  EXPECT_EQ(read_file(path), "67");
  EXPECT_FALSE(write_file(folder.path("none"), "1"));
  EXPECT_EQ(errno, ENOENT);
  EXPECT_FALSE(std::filesystem::exists(folder.path("none")));
}

TEST(LockFile, OneHoldsIt) {
  const test::TemporaryFolder folder;
  const std::string path = folder.path("lock");
  std::atomic<bool> free = false;
  Fd held = lock_file(path);
  ASSERT_TRUE(held.valid());
  std::thread other([&] {
    const Fd next = lock_file(path);
    EXPECT_TRUE(next.valid());
    EXPECT_TRUE(free);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  free = true;
  held = Fd();
  other.join();
  EXPECT_FALSE(lock_file(folder.path("no/lock")).valid());
  ASSERT_EQ(::symlink("lock", folder.path("link").c_str()), 0);
  EXPECT_FALSE(lock_file(folder.path("link")).valid());
}

TEST(ReplaceFile, NothingIsLeftOverWhenItFails) {
  const test::TemporaryFolder folder;
  EXPECT_FALSE(replace_file(folder.file("file", "x") + "/policy", "new"));
  const std::string busy = folder.path("busy");
  ASSERT_TRUE(std::filesystem::create_directory(busy));
  EXPECT_FALSE(replace_file(busy, "new"));
  EXPECT_NE(errno, 0);
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path("")))
    ++count;
  EXPECT_EQ(count, 2U);
}

TEST(ReadLine, EndsWithItsLastWord) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(read_line(folder.file("line", " a b \t\n\n")), " a b");
  EXPECT_EQ(read_line(folder.file("blank", " \n")), "");
  EXPECT_EQ(read_line(folder.path("absent")), "");
}

}  // namespace
}  // namespace vmctl
