// SPDX-License-Identifier: GPL-2.0
#include "vm/registers.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vmctl {
namespace {

struct Case {
  const char* text;
  __u64 kvm_regs::*member;
  std::uint64_t value;
};

class GoodRegister : public testing::TestWithParam<Case> {};
TEST_P(GoodRegister, IsRead) {
  const auto value = parse_register(GetParam().text);
  ASSERT_TRUE(value) << value.error().text();
  EXPECT_TRUE(value->member == GetParam().member);
  EXPECT_EQ(value->value, GetParam().value);
}
INSTANTIATE_TEST_SUITE_P(Registers, GoodRegister,
                         testing::Values(Case{"rax=2", &kvm_regs::rax, 2},
                                         Case{"rbx=0x10", &kvm_regs::rbx, 16},
                                         Case{"r8=1", &kvm_regs::r8, 1},
                                         Case{"r15=15", &kvm_regs::r15, 15},
                                         Case{"rip=0x7c00", &kvm_regs::rip, 0x7c00},
                                         Case{"rflags=0x202", &kvm_regs::rflags, 0x202},
                                         Case{"rsp=0xffffffffffffffff", &kvm_regs::rsp, ~0ULL},
                                         Case{"eax=0xffffffff", &kvm_regs::rax, 0xffffffff},
                                         Case{"sp=0xffff", &kvm_regs::rsp, 0xffff}));

class BadRegister : public testing::TestWithParam<const char*> {};
TEST_P(BadRegister, IsRefused) {
  const auto value = parse_register(GetParam());
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error().status, Status::usage);
  EXPECT_FALSE(value.error().why.empty());
}
INSTANTIATE_TEST_SUITE_P(Registers, BadRegister,
                         testing::Values("", "=", "rax", "rax=", "=2", "RAX=2", "r16=1", "cr0=1",
                                         "rax=x", "rax=-1", "rax=1 ", " rax=1", "rax=1=2",
                                         "rax=0x10000000000000000", "eax=0x100000000",
                                         "ax=0x10000"));

TEST(Registers, EachOnlyOnce) {
  EXPECT_EQ(parse_registers(std::vector<std::string>{"rax=1", "rbx=1"})->size(), 2U);
  EXPECT_TRUE(parse_registers(std::vector<std::string>{})->empty());
  EXPECT_FALSE(parse_registers(std::vector<std::string>{"rax=1", "rax=1"}));
  EXPECT_FALSE(parse_registers(std::vector<std::string>{"rax=1", "rbx=2", "ax=1"}));
}

TEST(Registers, DumpShowsThem) {
  kvm_regs regs{};
  regs.rip = 0x1234;
  regs.r15 = 0xfeed;
  kvm_sregs sregs{};
  sregs.cs.base = 0xf0000;
  const std::string dump = dump_registers(regs, sregs);
  EXPECT_NE(dump.find("rip 0000000000001234"), std::string::npos) << dump;
  EXPECT_NE(dump.find("r15 000000000000feed"), std::string::npos) << dump;
  EXPECT_NE(dump.find("cs 0000 base 00000000000f0000"), std::string::npos) << dump;
}

}  // namespace
}  // namespace vmctl
