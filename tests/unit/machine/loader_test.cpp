// SPDX-License-Identifier: GPL-2.0
#include "machine/loader.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(Loader, TheKernelsRefusalsReadLikeOurOwn) {
  const test::TemporaryFolder folder;
  const auto image = Image::open(folder.file("guest", "x"));
  ASSERT_TRUE(image);
  const Segment segment{.offset = 16, .length = 32, .gpa = {0x1000}};

  const Error truncated = explain_load(*image, segment, {ENODATA});
  EXPECT_EQ(truncated.text(), image_truncated(image->path(), 48).text());
  EXPECT_EQ(truncated.status, Status::bad_image);

  EXPECT_EQ(explain_load(*image, segment, {EIO}).status, Status::bad_image);
  EXPECT_EQ(explain_load(*image, segment, {ENODEV}).status, Status::refused);
  const Error fault = explain_load(*image, segment, {EFAULT});
  EXPECT_EQ(fault.status, Status::internal);
  EXPECT_NE(fault.where.find("guest to gpa 0x1000"), std::string::npos) << fault.where;
}

}  // namespace
}  // namespace vmctl
