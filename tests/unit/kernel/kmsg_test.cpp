// SPDX-License-Identifier: GPL-2.0
#include "kernel/kmsg.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

TEST(Kmsg, ReadsARecord) {
  const auto record = parse_kmsg("6,339,5140900,-;vmctl: vm 3: created\n SUBSYSTEM=x\n");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sequence, 339U);
  EXPECT_EQ(record->microseconds, 5140900U);
  EXPECT_EQ(record->message, "vmctl: vm 3: created");
  EXPECT_EQ(format_kmsg(*record), "[    5.140900] vmctl: vm 3: created");
}

TEST(Kmsg, TakesMoreFieldsBeforeTheMessageAndASemicolonInIt) {
  const auto record = parse_kmsg("4,1,1000000,c,caller=T1;a;b");
  ASSERT_TRUE(record);
  EXPECT_EQ(record->message, "a;b");
  EXPECT_EQ(format_kmsg(*record), "[    1.000000] a;b");
}

TEST(Kmsg, IsSafeOnATerminalWhoeverMadeTheRecord) {
  EXPECT_EQ(parse_kmsg("6,1,1,-;\x1b[31m\\x1b")->message, "\\033[31m\\x1b");
}

TEST(Kmsg, RefusesWhatIsNoRecord) {
  EXPECT_FALSE(parse_kmsg(""));
  EXPECT_FALSE(parse_kmsg("6,339,5140900,-"));
  EXPECT_FALSE(parse_kmsg("6,339;x"));
  EXPECT_FALSE(parse_kmsg("a,b,c;x"));
  EXPECT_FALSE(parse_kmsg(";x"));
  EXPECT_FALSE(parse_kmsg("6,339,5140900;x"));
  EXPECT_FALSE(parse_kmsg("6,339,5140900x,-;x"));
}

}  // namespace
}  // namespace vmctl
