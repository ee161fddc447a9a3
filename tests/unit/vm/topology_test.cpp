// SPDX-License-Identifier: GPL-2.0
#include "vm/topology.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace vmctl {
namespace {

kvm_cpuid_entry2 entry(std::uint32_t leaf, std::uint32_t subleaf = 0) {
  kvm_cpuid_entry2 made{};
  made.function = leaf;
  made.index = subleaf;
  return made;
}

kvm_cpuid_entry2 vendor(std::uint32_t ebx, std::uint32_t last) {
  kvm_cpuid_entry2 made = entry(0);
  made.eax = last;
  made.ebx = ebx;
  return made;
}
constexpr std::uint32_t kIntel = 0x756e6547;
constexpr std::uint32_t kAmd = 0x68747541;
constexpr std::uint32_t kHygon = 0x6f677948;

std::vector<kvm_cpuid_entry2> all(const Cpuid& cpuid, std::uint32_t leaf) {
  std::vector<kvm_cpuid_entry2> found;
  std::copy_if(cpuid.begin(), cpuid.end(), std::back_inserter(found),
               [&](const auto& entry) { return entry.function == leaf; });
  return found;
}

kvm_cpuid_entry2 shaped(kvm_cpuid_entry2 what, std::uint32_t vcpus, std::uint32_t maker = kAmd) {
  Cpuid cpuid{vendor(maker, 0xd), what};
  shape_topology(cpuid, vcpus);
  return cpuid.at(1);
}

TEST(Topology, LevelsOfThreadsAndCores) {
  struct Row {
    std::uint32_t vcpus;
    std::uint32_t bits;
  };
  for (const Row row :
       {Row{1, 0}, Row{2, 1}, Row{3, 2}, Row{4, 2}, Row{5, 3}, Row{256, 8}, Row{257, 9}}) {
    Cpuid cpuid{vendor(kIntel, 0x1f), entry(0xb), entry(0xb, 1), entry(0x1f), entry(0x80000026)};
    cpuid[1].eax = cpuid[2].ebx = cpuid[3].ecx = cpuid[4].eax = 77;  // the host's
    shape_topology(cpuid, row.vcpus);
    for (const std::uint32_t leaf : {0xbU, 0x1fU}) {
      const auto levels = all(cpuid, leaf);
      ASSERT_EQ(levels.size(), 3U);
      for (std::uint32_t i = 0; i < 3; ++i) {
        EXPECT_EQ(levels[i].index, i);
        EXPECT_EQ(levels[i].flags, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
      }
      EXPECT_EQ(levels[0].eax, 0U);
      EXPECT_EQ(levels[0].ebx, 1U);
      EXPECT_EQ(levels[0].ecx, 0x100U);
      EXPECT_EQ(levels[1].eax, row.bits) << row.vcpus;
      EXPECT_EQ(levels[1].ebx, row.vcpus);
      EXPECT_EQ(levels[1].ecx, 0x201U);
      EXPECT_EQ(levels[2].eax, 0U);
      EXPECT_EQ(levels[2].ebx, 0U);
      EXPECT_EQ(levels[2].ecx, 2U);
    }
    EXPECT_TRUE(all(cpuid, 0x80000026).empty());
  }
}

TEST(Topology, LeavesBeyondTheLastAreNotAdded) {
  for (const std::uint32_t last : {0xaU, 0xbU, 0x1eU, 0x1fU}) {
    Cpuid cpuid{vendor(kIntel, last)};
    shape_topology(cpuid, 2);
    EXPECT_EQ(all(cpuid, 0xb).size(), last >= 0xb ? 3U : 0U) << last;
    EXPECT_EQ(all(cpuid, 0x1f).size(), last >= 0x1f ? 3U : 0U) << last;
  }
  Cpuid nothing;
  shape_topology(nothing, 2);
  EXPECT_TRUE(nothing.empty());
}

TEST(Topology, CachesOfACoreAndOfAll) {
  const auto cache = [](std::uint32_t leaf, unsigned level, std::uint32_t vcpus) {
    kvm_cpuid_entry2 made = entry(leaf);
    made.eax = 0xffffc000 | level << 5 | 0x101;  // all host's CPUs share it; a data cache
    return shaped(made, vcpus).eax;
  };
  EXPECT_EQ(cache(4, 1, 4), 3U << 26 | 0x121U);
  EXPECT_EQ(cache(4, 2, 4), 3U << 26 | 0x141U);
  EXPECT_EQ(cache(4, 3, 4), 3U << 26 | 3U << 14 | 0x161U);
  EXPECT_EQ(cache(4, 3, 3), 3U << 26 | 3U << 14 | 0x161U);
  EXPECT_EQ(cache(4, 3, 1), 0x161U);
  EXPECT_EQ(cache(4, 3, 100), 63U << 26 | 127U << 14 | 0x161U);
  EXPECT_EQ(cache(4, 3, 5000), 63U << 26 | 0xfffU << 14 | 0x161U);
  EXPECT_EQ(cache(0x8000001d, 2, 4), 0xfc000141U);  // whose upper bits are reserved
  EXPECT_EQ(cache(0x8000001d, 3, 4), 0xfc000000U | 3U << 14 | 0x161U);
  for (const std::uint32_t leaf : {4U, 0x8000001dU}) {
    kvm_cpuid_entry2 end = entry(leaf);
    end.eax = 0x60;
    EXPECT_EQ(shaped(end, 4).eax, 0x60U);
  }
}

TEST(Topology, AmdCountsItsCores) {
  kvm_cpuid_entry2 sizes = entry(0x80000008);
  sizes.ecx = 0xffff5fff;
  EXPECT_EQ(shaped(sizes, 1).ecx, 0xffff0f00U);
  EXPECT_EQ(shaped(sizes, 3).ecx, 0xffff2f02U);
  EXPECT_EQ(shaped(sizes, 256).ecx, 0xffff8fffU);
  EXPECT_EQ(shaped(sizes, 1000).ecx, 0xffffafffU);
  EXPECT_EQ(shaped(sizes, 3, kHygon).ecx, 0xffff2f02U);
  EXPECT_EQ(shaped(sizes, 3, kIntel).ecx, 0xffff5fffU);
  kvm_cpuid_entry2 features = entry(0x80000001);
  features.ecx = 0x11;
  EXPECT_EQ(shaped(features, 2).ecx, 0x13U);
  EXPECT_EQ(shaped(features, 2, kIntel).ecx, 0x11U);
  features.ecx = 0x13;
  EXPECT_EQ(shaped(features, 1).ecx, 0x11U);
}

TEST(Topology, FrequenciesOfATscThatAlwaysCounts) {
  Cpuid cpuid{entry(0x40000000), entry(0x80000007)};
  cpuid[0].eax = 0x40000001;
  const Cpuid before = cpuid;
  tell_frequencies(cpuid, 2'345'678);
  EXPECT_EQ(cpuid.size(), before.size());
  EXPECT_EQ(cpuid[0].eax, 0x40000001U);

  cpuid[1].edx = 1U << 8;
  tell_frequencies(cpuid, 2'345'678);
  ASSERT_EQ(cpuid.size(), 3U);
  EXPECT_EQ(cpuid[0].eax, 0x40000010U);
  EXPECT_EQ(cpuid[2].function, 0x40000010U);
  EXPECT_EQ(cpuid[2].eax, 2'345'678U);
  EXPECT_EQ(cpuid[2].ebx, 1'000'000U);
  tell_frequencies(cpuid, 1);  // what is there stays
  EXPECT_EQ(cpuid.size(), 3U);
  EXPECT_EQ(cpuid[2].eax, 2'345'678U);
}

}  // namespace
}  // namespace vmctl
