// SPDX-License-Identifier: GPL-2.0
#include "load/image.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include "temporary.hpp"

namespace vmctl {
namespace {

class ImageTest : public testing::Test {
 protected:
  test::TemporaryFolder folder;
};

TEST_F(ImageTest, ReadsWhatIsThere) {
  const auto image = Image::open(folder.file("good", "0123456789"));
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_EQ(image->size(), 10U);
  std::array<std::uint8_t, 4> bytes{};
  ASSERT_TRUE(image->read(6, bytes));
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 4>{'6', '7', '8', '9'}));
}

void expect_refused(const std::string& path, Status status, std::string_view why) {
  const auto image = Image::open(path);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().status, status);
  EXPECT_EQ(image.error().where, path);
  EXPECT_NE(image.error().why.find(why), std::string::npos) << image.error().why;
}

TEST_F(ImageTest, RefusesWhatIsNoImage) {
  expect_refused(folder.path("missing"), Status::no_input, "No such file");
  expect_refused(folder.file("empty", ""), Status::bad_image, "empty");
  expect_refused(folder.path(""), Status::bad_image, "directory");
  expect_refused("/dev/zero", Status::bad_image, "device");
  ASSERT_EQ(::mkfifo(folder.path("fifo").c_str(), 0600), 0);
  expect_refused(folder.path("fifo"), Status::bad_image, "not a regular file");
}

TEST_F(ImageTest, UnreadableIsNotBad) {
  constexpr uid_t kNobody = 65534;
  const std::string path = folder.file("secret", "x");
  ASSERT_EQ(::chmod(folder.path("").c_str(), 0755), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0), 0);
  const uid_t self = ::geteuid();
  ASSERT_EQ(::seteuid(self == 0 ? kNobody : self), 0);  // root reads everything
  expect_refused(path, Status::no_input, "Permission denied");
  ASSERT_EQ(::seteuid(self), 0);
}

TEST_F(ImageTest, SaysWhereItCannotBeRead) {
  const auto image = Image::open(folder.file("good", "0123456789"));
  ASSERT_TRUE(image);
  std::array<std::uint8_t, 4> bytes{};
  const auto done = image->read(std::uint64_t{1} << 63, bytes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, Status::bad_image);
  EXPECT_EQ(done.error().where, folder.path("good") + " at offset 9223372036854775808");
  EXPECT_EQ(done.error().why, "Invalid argument");
}

TEST_F(ImageTest, NoticesThatTheFileBecameShorter) {
  const std::string path = folder.file("shrinks", std::string(8192, 'x'));
  const auto image = Image::open(path);
  ASSERT_TRUE(image);
  ASSERT_EQ(::truncate(path.c_str(), 4097), 0);
  std::array<std::uint8_t, 8192> bytes{};
  const auto done = image->read(0, bytes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().status, Status::bad_image);
  EXPECT_NE(done.error().why.find("shorter than 8192"), std::string::npos) << done.error().why;
}

}  // namespace
}  // namespace vmctl
