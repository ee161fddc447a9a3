// SPDX-License-Identifier: GPL-2.0-only
//
// What only a 32-bit program meets: structures of KVM's that differ for it.

#include <csignal>

#include "driver.hpp"

namespace {

using namespace t;

static_assert(sizeof(void*) == 4, "built with -m32");

class Compat : public Kept {};

// The pointer is 32 bits in a field of 64: what stands in the upper half must not count.
TEST_F(Compat, DirtyLogTakesAShortPointer) {
  const Machine machine(guest::store_byte(0x5000, 0x77));
  ASSERT_EQ(machine.built, 0);
  ASSERT_EQ(set_slot(machine.vm, 0, 0, Machine::kMemory, machine.memory.address(),
                     KVM_MEM_LOG_DIRTY_PAGES),
            0);
  ASSERT_EQ(machine.run(), 0);
  EXPECT_EQ(machine.memory.data()[0x5000], 0x77);
  std::uint64_t bitmap = 0;
  kvm_dirty_log log{};
  log.slot = 0;
  log.padding2 = std::uint64_t{0xdeadbeef} << 32 | address_of(&bitmap);
  EXPECT_EQ(ctl(machine.vm, KVM_GET_DIRTY_LOG, &log), 0);
  EXPECT_EQ(bitmap & 0x20, 0x20U) << "the page that was written";
}

TEST_F(Compat, SignalMaskIsThatOfA32BitProgram) {
  const Machine machine(guest::loop());
  ASSERT_EQ(machine.built, 0);
  // The signal is blocked outside and let in by the mask of KVM_RUN alone.
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &blocked, &before);
  ::raise(SIGUSR1);
  List<kvm_signal_mask, std::uint8_t, 8> mask{};
  mask->len = 8;
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_SET_SIGNAL_MASK, &mask), 0);
  EXPECT_EQ(machine.cpu.enter(), -EINTR);
  mask->len = 4;
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_SET_SIGNAL_MASK, &mask), -EINVAL);
  timespec now{};
  EXPECT_EQ(::sigtimedwait(&blocked, nullptr, &now), SIGUSR1);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
}

// Its structure is shorter here, so that its number is another one.
TEST_F(Compat, MsrFilterHasItsOwnNumber) {
  const Machine machine(guest::add());
  ASSERT_EQ(machine.built, 0);
  std::uint8_t bits[8] = {0xff};
  kvm_msr_filter filter{};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  filter.ranges[0] = {.flags = KVM_MSR_FILTER_READ, .nmsrs = 8, .base = 0x600, .bitmap = bits};
  EXPECT_EQ(ctl(machine.vm, KVM_X86_SET_MSR_FILTER, &filter), 0);
  filter.flags = 0x80;
  EXPECT_EQ(ctl(machine.vm, KVM_X86_SET_MSR_FILTER, &filter), -EINVAL);
}

}  // namespace
