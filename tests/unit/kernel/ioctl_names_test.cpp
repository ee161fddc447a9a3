// SPDX-License-Identifier: GPL-2.0
#include "kernel/ioctl_names.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "kernel/ioctl_values.h"

namespace vmctl {
namespace {

std::uint32_t value_of(std::string_view name) {
  for (const IoctlName& known : known_ioctls())
    if (known.name == name) return join_ioctl(known.number);
  ADD_FAILURE() << name << " is not in the table";
  return 0;
}

// As KVM's documentation and every trace of a VMM on x86-64 have them.
TEST(IoctlNames, HasKvmsNumbers) {
  for (const auto& [name, value] :
       std::map<std::string_view, std::uint32_t>{{"KVM_GET_API_VERSION", 0xae00},
                                                 {"KVM_CREATE_VM", 0xae01},
                                                 {"KVM_GET_MSR_INDEX_LIST", 0xc004ae02},
                                                 {"KVM_CHECK_EXTENSION", 0xae03},
                                                 {"KVM_GET_VCPU_MMAP_SIZE", 0xae04},
                                                 {"KVM_GET_SUPPORTED_CPUID", 0xc008ae05},
                                                 {"KVM_CREATE_VCPU", 0xae41},
                                                 {"KVM_SET_USER_MEMORY_REGION", 0x4020ae46},
                                                 {"KVM_SET_TSS_ADDR", 0xae47},
                                                 {"KVM_SET_IDENTITY_MAP_ADDR", 0x4008ae48},
                                                 {"KVM_CREATE_IRQCHIP", 0xae60},
                                                 {"KVM_IRQ_LINE", 0x4008ae61},
                                                 {"KVM_IRQFD", 0x4020ae76},
                                                 {"KVM_IOEVENTFD", 0x4040ae79},
                                                 {"KVM_RUN", 0xae80},
                                                 {"KVM_GET_REGS", 0x8090ae81},
                                                 {"KVM_SET_REGS", 0x4090ae82},
                                                 {"KVM_GET_SREGS", 0x8138ae83},
                                                 {"KVM_SET_SREGS", 0x4138ae84},
                                                 {"KVM_GET_MSRS", 0xc008ae88},
                                                 {"KVM_SET_SIGNAL_MASK", 0x4004ae8b},
                                                 {"KVM_GET_FPU", 0x81a0ae8c},
                                                 {"KVM_GET_LAPIC", 0x8400ae8e},
                                                 {"KVM_SET_CPUID2", 0x4008ae90},
                                                 {"KVM_ENABLE_CAP", 0x4068aea3},
                                                 {"KVM_GET_XSAVE", 0x9000aea4}})
    EXPECT_EQ(value_of(name), value) << name;
}

TEST(IoctlNames, HasTheCompilersNumbers) {
  for (const ioctl_value* row = ioctl_values; row->name != nullptr; ++row)
    EXPECT_EQ(value_of(row->name), row->value) << row->name;
}

TEST(IoctlNames, AreWholeAndInOrder) {
  std::set<std::string_view> names;
  std::uint32_t last = 0;
  for (const IoctlName& known : known_ioctls()) {
    EXPECT_TRUE(names.insert(known.name).second) << known.name << " twice";
    const bool own = known.name.starts_with("VMCTL_");
    EXPECT_TRUE(own || known.name.starts_with("KVM_")) << known.name;
    EXPECT_EQ(known.number.type, own ? 0xd7 : 0xae) << known.name;
    EXPECT_EQ(known.header, own ? "linux/vmctl.h" : "linux/kvm.h") << known.name;
    EXPECT_EQ(known.argument.empty(), known.number.size == 0) << known.name;
    const std::uint32_t place = join_ioctl(known.number) & 0xffff;
    EXPECT_GE(place, last) << known.name;
    last = place;
  }
  EXPECT_GT(names.size(), 100U);
}

TEST(IoctlNames, EachIsFoundByItsNumber) {
  for (const IoctlName& known : known_ioctls()) {
    const auto found = ioctls_named(split_ioctl(join_ioctl(known.number)));
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const IoctlName& each) {
      return each.name == known.name;
    })) << known.name;
    for (const IoctlName& near : ioctls_nearly(known.number)) EXPECT_NE(near.number, known.number);
  }
}

TEST(IoctlNames, SomeShareANumber) {
  const auto found = ioctls_named(split_ioctl(0x4010aeab));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "KVM_ARM_SET_DEVICE_ADDR");
  EXPECT_EQ(found[1].name, "KVM_GET_ONE_REG");
}

TEST(IoctlNames, KnowsWhatIsNearlyACommand) {
  for (const std::uint32_t value : {0x8098ae81U, 0x4090ae81U, 0x0000ae81U}) {
    EXPECT_TRUE(ioctls_named(split_ioctl(value)).empty());
    const auto found = ioctls_nearly(split_ioctl(value));
    ASSERT_EQ(found.size(), 1U) << value;
    EXPECT_EQ(found[0].name, "KVM_GET_REGS");
  }
  EXPECT_TRUE(ioctls_nearly(split_ioctl(0x8090ad81)).empty()) << "of another type";
  EXPECT_TRUE(ioctls_nearly(split_ioctl(0x8090aeff)).empty()) << "of another number";
}

}  // namespace
}  // namespace vmctl
