// SPDX-License-Identifier: GPL-2.0
#include "machine/disk.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string>

#include "base/bytes.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(ParseDisk, IsAFileAndPerhapsReadOnly) {
  EXPECT_EQ(parse_disk("a,b").value().path, "a,b");
  EXPECT_FALSE(parse_disk("a,b").value().read_only);
  EXPECT_EQ(parse_disk("a,ro").value().path, "a");
  EXPECT_TRUE(parse_disk("a,ro").value().read_only);
  EXPECT_FALSE(parse_disk("a,rox").value().read_only);
  EXPECT_FALSE(parse_disk(""));
  EXPECT_FALSE(parse_disk(",ro"));
}

class DiskTest : public testing::Test {
 protected:
  DiskTest() { resize(1024); }
  void resize(off_t size) const {
    const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    EXPECT_EQ(::ftruncate(fd.get(), size), 0);
  }
  Status refusal(const std::string& file, bool read_only = false) const {
    const auto opened = open_disk({.path = file, .read_only = read_only}, 0);
    return opened ? Status::ok : opened.error().status;
  }
  test::TemporaryFolder folder;
  std::string path = folder.path("disk");
};

TEST_F(DiskTest, HasTheFilesSize) {
  const auto port = open_disk({.path = path}, 3);
  ASSERT_TRUE(port);
  std::array<std::uint8_t, 8> capacity{};
  (*port)->device().read_config(0, capacity);
  EXPECT_EQ(little_endian(capacity), 2U);
  EXPECT_EQ((*port)->device().features() & 1U << 5, 0U);
}

TEST_F(DiskTest, IsReadOnlyIfSaid) {
  const auto port = open_disk({.path = path, .read_only = true}, 0);
  ASSERT_TRUE(port);
  EXPECT_NE((*port)->device().features() & 1U << 5, 0U);
}

TEST_F(DiskTest, RefusesWhatIsNoDisk) {
  EXPECT_EQ(refusal(path + "-is-not-there"), Status::no_input);
  EXPECT_EQ(refusal(folder.path(""), true), Status::usage);
  EXPECT_EQ(refusal("/dev/null"), Status::usage);
  resize(0);
  EXPECT_EQ(refusal(path), Status::usage);
  resize(1000);
  EXPECT_EQ(refusal(path), Status::usage);
  resize(512);
  EXPECT_EQ(refusal(path), Status::ok);
  ASSERT_EQ(::mkfifo((path + "-fifo").c_str(), 0600), 0);
  EXPECT_EQ(refusal(path + "-fifo", true), Status::usage) << "and does not wait";
}

TEST_F(DiskTest, IsWrittenByOneAlone) {
  auto writer = open_disk({.path = path}, 0);
  ASSERT_TRUE(writer);
  EXPECT_EQ(refusal(path), Status::usage);
  EXPECT_EQ(refusal(path, true), Status::usage);
  writer->reset();
  const auto reader = open_disk({.path = path, .read_only = true}, 0);
  ASSERT_TRUE(reader);
  EXPECT_EQ(refusal(path, true), Status::ok);
  EXPECT_EQ(refusal(path), Status::usage);
}

}  // namespace
}  // namespace vmctl
