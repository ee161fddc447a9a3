// SPDX-License-Identifier: GPL-2.0
#include "base/mapping.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "base/file.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(Mapping, MovesWithItsLength) {
  auto first = Mapping::anonymous(4096);
  auto second = Mapping::anonymous(8192);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  first->bytes().front() = 1;
  *second = std::move(*first);
  EXPECT_EQ(second->bytes().size(), 4096U);
  EXPECT_EQ(second->bytes().front(), 1);
}

TEST(Mapping, WhatIsSharedReachesTheFile) {
  const test::TemporaryFolder folder;
  const Fd fd(::open(folder.file("four", "four").c_str(), O_RDWR | O_CLOEXEC));
  const auto mapping = Mapping::shared(fd, 4);
  ASSERT_TRUE(mapping) << mapping.error().text();
  mapping->bytes().front() = 'F';
  EXPECT_EQ(read_file(folder.path("four")), "Four");
}

TEST(Mapping, TooMuchIsNotThereAndTheRestIsOurMistake) {
  const auto huge = Mapping::anonymous(std::numeric_limits<std::size_t>::max() / 2 + 1);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().status, Status::unavailable);
  EXPECT_EQ(huge.error().why, "Cannot allocate memory");

  const test::TemporaryFolder folder;
  const Fd fd(::open(folder.file("four", "four").c_str(), O_RDONLY | O_CLOEXEC));
  const auto readonly = Mapping::shared(fd, 4);
  ASSERT_FALSE(readonly);
  EXPECT_EQ(readonly.error().status, Status::internal);
  EXPECT_EQ(readonly.error().what, "cannot map 4 bytes of memory");
  EXPECT_EQ(readonly.error().why, "Permission denied");
}

}  // namespace
}  // namespace vmctl
