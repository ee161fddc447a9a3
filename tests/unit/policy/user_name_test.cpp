// SPDX-License-Identifier: GPL-2.0
#include "policy/user_name.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

TEST(UserName, IsANameOrANumber) {
  EXPECT_EQ(uid_of("root"), 0U);
  EXPECT_EQ(uid_of("12345"), 12345U);
  EXPECT_EQ(uid_of("0x10"), 16U);
  for (const char* none : {"", "nobody-has-this", "4294967295", "-1", "root "}) {
    const auto uid = uid_of(none);
    ASSERT_FALSE(uid) << none;
    EXPECT_EQ(uid.error().status, Status::usage);
  }
}

TEST(UserName, StandsInTheFileIfItIsAWord) {
  EXPECT_EQ(word_for("root", 0), "root");
  for (const char* name :
       {"", "0", "0x0", "two words", "a#b", "#", " root", "root\n", "nobody-has"})
    EXPECT_EQ(word_for(name, 7), "7") << name;
}

}  // namespace
}  // namespace vmctl
