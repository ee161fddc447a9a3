// SPDX-License-Identifier: GPL-2.0
#include "base/file.hpp"

#include <gtest/gtest.h>

#include <cerrno>

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

TEST(ReadLine, EndsWithItsLastWord) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(read_line(folder.file("line", " a b \t\n\n")), " a b");
  EXPECT_EQ(read_line(folder.file("blank", " \n")), "");
  EXPECT_EQ(read_line(folder.path("absent")), "");
}

}  // namespace
}  // namespace vmctl
