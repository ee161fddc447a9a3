// SPDX-License-Identifier: GPL-2.0
#include "vm/vm.hpp"

#include <gtest/gtest.h>

#include "bus/memory.hpp"
#include "kernel/node.hpp"

namespace vmctl {
namespace {

// What KVM refuses says which command, where and why.
class VmTest : public testing::Test {
 protected:
  void SetUp() override {
    node = Node::open(kKvmPath);
    if (!node) GTEST_SKIP() << "no KVM on this host: " << node.error().text();
    vm = Vm::create(*node, {});
    ASSERT_TRUE(vm) << vm.error().text();
  }
  static GuestMemory memory_of(std::uint64_t size) {
    return GuestMemory::create(size, {0xc0000000}, {0x100000000}).value();
  }

  Result<Node> node = fail({.what = "not opened"});
  Result<Vm> vm = fail({.what = "not made"});
};

TEST_F(VmTest, ASlotOfAnotherSizeNamesItsPlace) {
  const GuestMemory memory = memory_of(65536);
  const GuestMemory larger = memory_of(131072);
  ASSERT_TRUE(vm->add_memory(memory));
  const auto again = vm->add_memory(larger);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().status, Status::unavailable);
  EXPECT_EQ(again.error().where, "gpa 0x0, 131072 bytes");
  EXPECT_NE(again.error().what.find("KVM_SET_USER_MEMORY_REGION"), std::string::npos);
  EXPECT_NE(again.error().advice.find("--mem"), std::string::npos);
}

TEST_F(VmTest, AVcpusNumberIsTakenOnce) {
  ASSERT_TRUE(vm->create_vcpu(0));
  const auto again = vm->create_vcpu(0);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().where, "vCPU 0");
  EXPECT_NE(again.error().what.find("KVM_CREATE_VCPU"), std::string::npos);
}

TEST_F(VmTest, RawKvmHasNoStatistics) {
  EXPECT_FALSE(vm->is_vmctl());
  const auto stats = vm->stats();
  ASSERT_FALSE(stats);
  EXPECT_NE(stats.error().what.find("VMCTL_GET_STATS"), std::string::npos) << stats.error().what;
}

}  // namespace
}  // namespace vmctl
