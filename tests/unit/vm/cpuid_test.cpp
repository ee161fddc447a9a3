// SPDX-License-Identifier: GPL-2.0
#include "vm/cpuid.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

kvm_cpuid_entry2 entry(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  kvm_cpuid_entry2 made{};
  made.function = leaf;
  made.index = subleaf;
  return made;
}

TEST(Cpuid, ParsesLeafSubleafRegisterAndValue) {
  const auto value = parse_cpuid("0x40000000:ebx=0x6c746376");
  ASSERT_TRUE(value);
  EXPECT_EQ(value->leaf, 0x40000000U);
  EXPECT_FALSE(value->subleaf);
  EXPECT_EQ(value->member, &kvm_cpuid_entry2::ebx);
  EXPECT_EQ(value->value, 0x6c746376U);
  const auto with_subleaf = parse_cpuid("7.1:eax=5");
  ASSERT_TRUE(with_subleaf);
  EXPECT_EQ(with_subleaf->leaf, 7U);
  EXPECT_EQ(with_subleaf->subleaf, 1U);
  EXPECT_EQ(with_subleaf->member, &kvm_cpuid_entry2::eax);
}

TEST(Cpuid, RefusesWhatIsNoAssignment) {
  for (const char* text : {"", ":", "=", "1", "1:eax", "1=eax:2", ":eax=1", "1:=1", "1:eax=",
                           "1:rax=1", "1:EAX=1", "1.:eax=1", ".1:eax=1", "1.2.3:eax=1", "x:eax=1",
                           "0x100000000:eax=1", "1:eax=0x100000000", "-1:eax=1", "1:eax=1 "}) {
    const auto value = parse_cpuid(text);
    ASSERT_FALSE(value) << text;
    EXPECT_EQ(value.error().status, Status::usage) << text;
    EXPECT_FALSE(value.error().why.empty()) << text;
  }
}

TEST(Cpuid, ValuesReplaceWhatIsThereAndAddWhatIsNot) {
  Cpuid cpuid{entry(1), entry(7, 0), entry(7, 1)};
  cpuid[1].ecx = 9;
  apply_cpuid(cpuid, std::vector<CpuidValue>{
                         {.leaf = 7, .member = &kvm_cpuid_entry2::ebx, .value = 2},
                         {.leaf = 7, .subleaf = 1, .member = &kvm_cpuid_entry2::eax, .value = 3},
                         {.leaf = 0x21, .member = &kvm_cpuid_entry2::edx, .value = 4},
                         {.leaf = 0x22, .subleaf = 5, .member = &kvm_cpuid_entry2::edx, .value = 6},
                     });
  ASSERT_EQ(cpuid.size(), 5U);
  EXPECT_EQ(cpuid[1].ebx, 2U);
  EXPECT_EQ(cpuid[1].ecx, 9U);
  EXPECT_EQ(cpuid[1].eax, 0U);
  EXPECT_EQ(cpuid[2].ebx, 2U);
  EXPECT_EQ(cpuid[2].eax, 3U);
  EXPECT_EQ(cpuid[3].function, 0x21U);
  EXPECT_EQ(cpuid[3].edx, 4U);
  EXPECT_EQ(cpuid[3].flags, 0U);
  EXPECT_EQ(cpuid[4].index, 5U);
  EXPECT_EQ(cpuid[4].flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
}

TEST(Cpuid, SaysWhatTheMachineHas) {
  const auto features = [](CpuidMachine machine) {
    Cpuid cpuid{entry(1), entry(2)};
    cpuid[0].ecx = 1U << 21 | 1U << 24 | 1;
    adapt_cpuid(cpuid, machine);
    EXPECT_EQ(cpuid[1].ecx, 0U);
    return cpuid[0].ecx;
  };
  EXPECT_EQ(features({.local_apics = false, .tsc_deadline = true}), 1U << 31 | 1);
  EXPECT_EQ(features({.local_apics = true, .tsc_deadline = false}), 1U << 31 | 1U << 21 | 1);
  EXPECT_EQ(features({.local_apics = true, .tsc_deadline = true}),
            1U << 31 | 1U << 24 | 1U << 21 | 1);
}

TEST(Cpuid, WithoutLocalApicsThereIsNothingOfThem) {
  for (const bool apics : {false, true}) {
    Cpuid cpuid{entry(1), entry(0x40000001)};
    cpuid[0].edx = 0xffffffff;
    cpuid[1].eax = 0xffffffff;
    adapt_cpuid(cpuid, {.local_apics = apics, .tsc_deadline = false});
    EXPECT_EQ(cpuid[0].edx, apics ? 0xffffffff : 0xfffffdff);
    EXPECT_EQ(cpuid[1].eax, apics ? 0xffffffff : 0xffff332f);
  }
}

TEST(Cpuid, EachVcpuHasItsNumber) {
  Cpuid cpuid{entry(1), entry(0xb, 0), entry(0xb, 1), entry(2)};
  cpuid[0].ebx = 0x99990800;
  number_cpuid(cpuid, 3, 4);
  EXPECT_EQ(cpuid[0].ebx, 0x03040800U);
  EXPECT_EQ(cpuid[0].edx, 1U << 28);
  EXPECT_EQ(cpuid[1].edx, 3U);
  EXPECT_EQ(cpuid[2].edx, 3U);
  EXPECT_EQ(cpuid[3].edx, 0U);
  number_cpuid(cpuid, 0x1ff, 1000);
  EXPECT_EQ(cpuid[0].ebx, 0xffff0800U);
  EXPECT_EQ(cpuid[1].edx, 0x1ffU);
}

TEST(Cpuid, EachVcpuHasItsNumberInLaterLeaves) {
  Cpuid cpuid{entry(0x1f, 0), entry(0x1f, 1), entry(0x8000001e)};
  cpuid[2].ecx = cpuid[2].ebx = 0xffff;
  number_cpuid(cpuid, 0x103, 1000);
  EXPECT_EQ(cpuid[0].edx, 0x103U);
  EXPECT_EQ(cpuid[1].edx, 0x103U);
  EXPECT_EQ(cpuid[2].eax, 0x103U);
  EXPECT_EQ(cpuid[2].ebx, 0x03U);
  EXPECT_EQ(cpuid[2].ecx, 0U);
  EXPECT_EQ(cpuid[2].edx, 0U);
}

TEST(Cpuid, AddressesHaveTheBitsThatItSays) {
  Cpuid cpuid{entry(1), entry(0x80000008)};
  cpuid[1].eax = 0x3028;
  EXPECT_EQ(address_bits(cpuid), 40U);
  EXPECT_EQ(address_bits({entry(1)}), 36U);
}

TEST(Cpuid, OneVcpuHasNoThreads) {
  Cpuid cpuid{entry(1)};
  number_cpuid(cpuid, 0, 1);
  EXPECT_EQ(cpuid[0].edx, 0U);
}

}  // namespace
}  // namespace vmctl
