// SPDX-License-Identifier: GPL-2.0-only
//
// What was checked is what KVM gets: tries to change an argument after the check, in place and by
// mapping something else where the copy lies.
#include <iostream>

#include "commands.hpp"
#include "limits.hpp"
#include "race.hpp"

namespace {

using namespace t;

// Where it knows no second command it reads the first part of its argument.
using Region = UserspaceMemoryRegion2;

class Desk : public Limits {
 protected:
  static constexpr std::uint64_t kAllowed = 16;
  static constexpr std::uint64_t kForbidden = 17;

  void SetUp() override {
    if (!can_race()) GTEST_SKIP() << kAlone;
    Limits::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_MEMORY, kAllowed * page_size()), 0);
    memory_ = Mapping::memory(kForbidden * page_size());
    allowed_.memory_size = kAllowed * page_size();
    allowed_.userspace_addr = memory_.address();
    // The VGA's.
    device_ = Mapping(kAllowed * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED,
                      open_device("/dev/mem"), 0xa0000);
  }

  [[nodiscard]] Region larger() const {
    Region region = allowed_;
    region.memory_size = kForbidden * page_size();
    return region;
  }
  [[nodiscard]] bool has_device_memory() const { return device_.valid(); }
  [[nodiscard]] Region of_device_memory() const {
    Region region = allowed_;
    region.userspace_addr = device_.address();
    return region;
  }
  static bool has_second_command() {
    return ctl(open_device("/dev/kvm"), KVM_CHECK_EXTENSION, kCapUserMemory2).value > 0;
  }

  // One thread sets a slot again and again; another rewrites size and address all the while.
  void rewrite(unsigned long command, const Region& forbidden, Ret refusal) {
    const Fd system = open_device();
    const Fd vm(create_vm(system, "rewritten"));
    Region region = allowed_;
    int set = 0;
    int refused = 0;
    {
      const Meanwhile writer([&, forbidden, allowed = allowed_] {
        auto* size = const_cast<volatile __u64*>(&region.memory_size);
        auto* address = const_cast<volatile __u64*>(&region.userspace_addr);
        *size = forbidden.memory_size;
        *address = forbidden.userspace_addr;
        *size = allowed.memory_size;
        *address = allowed.userspace_addr;
      });
      for (Tries tries; tries.go_on();) {
        const Ret r = ctl(vm, command, &region);
        if (r == refusal) {
          ++refused;
          continue;
        }
        ASSERT_EQ(r, 0) << kOther;
        if (++set % kSetsOfASlot == 0) ASSERT_EQ(is_allowed_one_and_goes(vm, command), 0) << kOther;
      }
    }
    EXPECT_GT(set, 0);
    EXPECT_GT(refused, 0) << "the race never took place";
    EXPECT_LE(used(0, VMCTL_MEMORY), kAllowed * page_size());
    std::cout << set << " set, " << refused << " refused\n";
  }

  // Another thread maps memory of its own, with forbidden arguments, over the copy.
  void cover(unsigned long command) {
    const Fd system = open_device();
    Fd vm(create_vm(system, "covered"));
    int set = 0;
    int lost = 0;
    {
      const Covering covering({bytes_of(larger()), bytes_of(of_device_memory())});
      for (Tries tries; tries.go_on();) {
        Ret r = ctl(vm, command, &allowed_);
        if (r.ok() && ++set % kSetsOfASlot == 0) r = is_allowed_one_and_goes(vm, command);
        if (r == kUnread) continue;
        if (r == -ENODEV) {
          ++lost;
          ASSERT_EQ(ctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), -ENODEV);
          vm = Fd(create_vm(system, "covered"));
          ASSERT_TRUE(vm.valid());
          continue;
        }
        ASSERT_EQ(r, 0) << kOther;
      }
    }
    EXPECT_GT(set, 0);
    EXPECT_GT(lost, 0) << "nothing was ever put over the copy";
    EXPECT_LE(used(0, VMCTL_MEMORY), kAllowed * page_size());
    std::cout << set << " set, " << lost << " VMs lost\n";
  }

 private:
  // KVM takes what a slot is already for nothing to do, and another size or address for EINVAL:
  // the first time it makes the slot, later ones show what it has made and what it reads.
  static constexpr int kSetsOfASlot = 16;
  static constexpr const char* kOther = "KVM has read another size or address than was checked";

  [[nodiscard]] Ret is_allowed_one_and_goes(int vm, unsigned long command) const {
    const Ret r = ctl(vm, command, &allowed_);
    const Region none{};
    return r.ok() ? ctl(vm, command, &none) : r;
  }

  Mapping memory_;
  Mapping device_;
  Region allowed_{};
};

TEST_F(Desk, ARewrittenSizeIsNotTaken) {
  rewrite(KVM_SET_USER_MEMORY_REGION, larger(), -EDQUOT);
}

TEST_F(Desk, ARewrittenAddressIsNotTaken) {
  if (!has_device_memory()) GTEST_SKIP() << "/dev/mem cannot be mapped";
  rewrite(KVM_SET_USER_MEMORY_REGION, of_device_memory(), -EPERM);
}

TEST_F(Desk, AMappingPutOverTheCopyCostsTheVm) {
  if (!has_device_memory()) GTEST_SKIP() << "/dev/mem cannot be mapped";
  cover(KVM_SET_USER_MEMORY_REGION);
}

TEST_F(Desk, ARewrittenSizeOfTheSecondCommandIsNotTaken) {
  if (!has_second_command()) GTEST_SKIP() << "no KVM_SET_USER_MEMORY_REGION2 in this kernel";
  rewrite(kSetUserMemoryRegion2, larger(), -EDQUOT);
}

TEST_F(Desk, ARewrittenAddressOfTheSecondCommandIsNotTaken) {
  if (!has_second_command()) GTEST_SKIP() << "no KVM_SET_USER_MEMORY_REGION2 in this kernel";
  if (!has_device_memory()) GTEST_SKIP() << "/dev/mem cannot be mapped";
  rewrite(kSetUserMemoryRegion2, of_device_memory(), -EPERM);
}

TEST_F(Desk, AMappingPutOverTheCopyOfTheSecondCommandCostsTheVm) {
  if (!has_second_command()) GTEST_SKIP() << "no KVM_SET_USER_MEMORY_REGION2 in this kernel";
  if (!has_device_memory()) GTEST_SKIP() << "/dev/mem cannot be mapped";
  cover(kSetUserMemoryRegion2);
}

}  // namespace
