// SPDX-License-Identifier: GPL-2.0-only
//
// What a VM may call its memory: checked before KVM sees it, on a copy that nobody can change.
#include <fcntl.h>
#include <sys/mman.h>

#include "limits.hpp"

namespace {

using namespace t;

class Slot : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (IsSkipped()) return;
    system_ = open_device();
    vm_ = Fd(create_vm(system_, "slots"));
    ASSERT_TRUE(vm_.valid());
    memory_ = Mapping::memory(4 * page_size());
  }
  void TearDown() override {
    vm_.close();
    system_.close();
    Own::TearDown();
  }
  [[nodiscard]] Ret set(std::uint64_t gpa, std::uint64_t size, std::uint64_t address,
                        unsigned slot = 0) const {
    return set_slot(vm_, slot, gpa, size, address);
  }
  [[nodiscard]] std::uint64_t page(std::uint64_t n) const { return n * page_size(); }

  Fd system_;
  Fd vm_;
  Mapping memory_;
};

TEST_F(Slot, ThatWrapsIsRefused) {
  EXPECT_EQ(set(~std::uint64_t{0} << 12, page(2), memory_.address()), -EINVAL);
  EXPECT_EQ(set(0, page(2), ~std::uint64_t{0} << 12), -EINVAL);
  EXPECT_EQ(set(0, ~std::uint64_t{0} << 12, memory_.address()), -EINVAL);
  EXPECT_EQ(set(1, page(1), memory_.address()), -EINVAL);
  EXPECT_EQ(set(0, page(1) + 1, memory_.address()), -EINVAL);
  EXPECT_EQ(set(0, page(1), memory_.address() + 1), -EINVAL);
}

TEST_F(Slot, OfTheKernelIsRefused) {
  EXPECT_EQ(set(0, page(1), std::uint64_t{0xffff888000000000}), -EINVAL);
  EXPECT_EQ(set(0, page(2), std::uint64_t{0x7ffffffff000}), -EINVAL);
}

TEST_F(Slot, ThatOverlapsIsRefused) {
  ASSERT_EQ(set(page(10), page(2), memory_.address()), 0);
  for (const auto& [first, pages] : {std::pair{9, 2}, {10, 1}, {11, 2}, {9, 4}, {10, 2}}) {
    EXPECT_EQ(set(page(first), page(pages), memory_.address(), 1), -EEXIST) << first;
  }
  EXPECT_EQ(set(page(8), page(2), memory_.address(), 1), 0);
  EXPECT_EQ(set(page(12), page(2), memory_.address(), 2), 0);
  // Itself it may overlap: it moves.
  EXPECT_EQ(set(page(11), page(1), memory_.address(), 3), -EEXIST);
}

TEST_F(Slot, OfDeviceMemoryIsRefused) {
  const Fd memory = open_device("/dev/mem");
  if (!memory.valid()) GTEST_SKIP() << "no /dev/mem";
  // The VGA's.
  Mapping device(page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0xa0000);
  if (!device.valid()) GTEST_SKIP() << "/dev/mem cannot be mapped";
  EXPECT_EQ(set(0, page_size(), device.address()), -EPERM);
  // Also behind memory that is none.
  const Mapping room = Mapping::memory(2 * page_size());
  void* second = ::mmap(room.data() + page_size(), page_size(), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_FIXED, memory, 0xa0000);
  ASSERT_NE(second, MAP_FAILED);
  EXPECT_EQ(set(0, 2 * page_size(), room.address()), -EPERM);
  EXPECT_EQ(set(0, page_size(), room.address()), 0);
}

TEST_F(Slot, ArgumentThatCannotBeRead) {
  EXPECT_EQ(ctl(vm_, KVM_SET_USER_MEMORY_REGION, 8UL), -EFAULT);
  EXPECT_EQ(ctl(vm_, KVM_SET_USER_MEMORY_REGION, 0UL), -EFAULT);
  const Mapping pages = Mapping::memory(2 * page_size());
  std::uint8_t* end = pages.data() + page_size();
  ASSERT_EQ(::mprotect(end, page_size(), PROT_NONE), 0);
  EXPECT_EQ(ctl(vm_, KVM_SET_USER_MEMORY_REGION, end - sizeof(kvm_userspace_memory_region) + 1),
            -EFAULT);
}

// Nothing is left of the copy in the caller's address space.
TEST_F(Slot, LeavesNoMapping) {
  const std::string before = slurp("/proc/self/maps");
  for (int turn = 0; turn < 3; ++turn) {
    ASSERT_EQ(set(0, page(1), memory_.address()), 0);
    ASSERT_EQ(set(0, 0, 0), 0);
    ASSERT_EQ(set(0, page(1), 1), -EINVAL);
  }
  EXPECT_EQ(slurp("/proc/self/maps").find("vmctl-desk"), std::string::npos);
  EXPECT_EQ(lines_of(slurp("/proc/self/maps")).size(), lines_of(before).size());
}

}  // namespace
