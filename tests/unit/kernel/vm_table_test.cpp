// SPDX-License-Identifier: GPL-2.0
#include "kernel/vm_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmctl {
namespace {

TEST(VmTable, ReadsALine) {
  const auto row = parse_vm_row("3 812 1000 add.bin active 2 67108864 12 sha256:00ff");
  ASSERT_TRUE(row) << row.error().text();
  EXPECT_EQ(row->id, 3U);
  EXPECT_EQ(row->pid, 812U);
  EXPECT_EQ(row->uid, 1000U);
  EXPECT_EQ(row->name, "add.bin");
  EXPECT_EQ(row->state, "active");
  EXPECT_EQ(row->vcpus, 2U);
  EXPECT_EQ(row->memory, 67108864U);
  EXPECT_EQ(row->exits, 12U);
  EXPECT_EQ(row->image, "sha256:00ff");
}

TEST(VmTable, ADashIsNothing) {
  const auto row = parse_vm_row("1 2 4294967295 - revoked 0 0 18446744073709551615 -");
  ASSERT_TRUE(row) << row.error().text();
  EXPECT_EQ(row->name, "");
  EXPECT_EQ(row->image, "");
  EXPECT_EQ(row->uid, 4294967295U);
  EXPECT_EQ(row->exits, 18446744073709551615U);
}

TEST(VmTable, EscapesStayEscapedAndNothingReachesTheTerminal) {
  EXPECT_EQ(parse_vm_row("1 2 3 a\\040b\\033[2J active 0 0 0 -")->name, "a\\040b\\033[2J");
  EXPECT_EQ(parse_vm_row("1 2 3 \033[2J active 0 0 0 -")->name, "\\033[2J");
  EXPECT_EQ(parse_vm_row("1 2 3 \xff active 0 0 0 -")->name, "\\377");
}

TEST(VmTable, NewerKernelsMayAppendFields) {
  EXPECT_TRUE(parse_vm_row("1 2 3 n active 0 0 0 - more fields"));
}

class BadRow : public testing::TestWithParam<const char*> {};
TEST_P(BadRow, IsRefused) {
  const auto row = parse_vm_row(GetParam());
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().status, Status::internal);
}
INSTANTIATE_TEST_SUITE_P(VmTable, BadRow,
                         testing::Values("", " ", "1", "1 2 3 n active 0 0 0",
                                         "1 2 3 n active 0 0 0 ", "1 2 3  active 0 0 0 -",
                                         " 1 2 3 n active 0 0 0 -", "x 2 3 n active 0 0 0 -",
                                         "1 -2 3 n active 0 0 0 -", "1 2 3 n active 0x1 0 0 -",
                                         "4294967296 2 3 n active 0 0 0 -",
                                         "1 2 3 n active 0 18446744073709551616 0 -",
                                         "1 2 3 n active 0 0 12z -"));

TEST(VmTable, Table) {
  EXPECT_TRUE(parse_vm_table("")->empty());
  const std::string line = "1 2 3 n active 0 0 0 -\n";
  EXPECT_EQ(parse_vm_table(line + line)->size(), 2U);
  EXPECT_FALSE(parse_vm_table(line + "\n" + line));
  EXPECT_FALSE(parse_vm_table(line + "nonsense\n"));
}

}  // namespace
}  // namespace vmctl
