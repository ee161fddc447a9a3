// SPDX-License-Identifier: GPL-2.0
#include "machine/control_registers.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

TEST(ControlRegisters, NothingChangedIsNothing) {
  kvm_sregs sregs{};
  sregs.cr0 = 0x60000010;
  EXPECT_TRUE(control_changes(sregs, sregs).empty());
}

TEST(ControlRegisters, TheWayToLongMode) {
  kvm_sregs before{};
  before.cr0 = 0x10;
  kvm_sregs after = before;
  after.cr0 = 0x80000011;
  after.cr3 = 0x2000;
  after.cr4 = 0x20;
  after.efer = 0x500;
  const auto changes = control_changes(before, after);
  ASSERT_EQ(changes.size(), 4U);
  EXPECT_EQ(format_change(changes[0]), "cr0 0x10 -> 0x80000011 +PE +PG");
  EXPECT_EQ(format_change(changes[1]), "cr3 0x0 -> 0x2000");
  EXPECT_EQ(format_change(changes[2]), "cr4 0x0 -> 0x20 +PAE");
  EXPECT_EQ(format_change(changes[3]), "efer 0x0 -> 0x500 +LME +LMA");
}

TEST(ControlRegisters, ClearedAndNamelessBits) {
  kvm_sregs before{};
  before.cr4 = 0x200020;
  kvm_sregs after{};
  after.cr4 = 1ULL << 40 | 0x20;
  const auto changes = control_changes(before, after);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(format_change(changes[0]), "cr4 0x200020 -> 0x10000000020 +bit 40 -SMAP");
}

}  // namespace
}  // namespace vmctl
