// SPDX-License-Identifier: GPL-2.0-only
//
// KVM's own rules, kept through the proxy; and what the proxy refuses.
#include <fcntl.h>
#include <linux/vmctl.h>

#include <algorithm>
#include <set>

#include "commands.hpp"
#include "driver.hpp"

namespace {

using namespace t;

// Not for raw KVM: there these answer EINVAL.
class Refusal : public Own {};
class Rules : public Kept {};

TEST_F(Rules, VersionAndMmapSizeTakeNoArgument) {
  const Fd system = open_device();
  EXPECT_EQ(ctl(system, KVM_GET_API_VERSION), 12);
  EXPECT_EQ(ctl(system, KVM_GET_VCPU_MMAP_SIZE), static_cast<long>(3 * page_size()));
  for (const long argument : {1L, 2L, -1L, 0x1000L}) {
    EXPECT_EQ(ctl(system, KVM_GET_API_VERSION, argument), -EINVAL) << argument;
    EXPECT_EQ(ctl(system, KVM_GET_VCPU_MMAP_SIZE, argument), -EINVAL) << argument;
  }
}

TEST_F(Rules, UnknownMachineTypesAreRefused) {
  const Fd system = open_device();
  for (const long type : {0x10000000L, 0x7fffffffL, -1L}) {
    EXPECT_EQ(ctl(system, KVM_CREATE_VM, type), -EINVAL) << type;
  }
  EXPECT_TRUE(Fd(ctl(system, KVM_CREATE_VM, 0)).valid());
}

// What KVM says of an extension, without what is refused.
Ret without_refused(long cap, Ret said) {
  constexpr long kXenHvm = 38;
  constexpr long kVmTypes = 235;
  if (std::ranges::find(kHiddenExtensions, cap) != std::end(kHiddenExtensions)) return Ret(0);
  if (cap == kVmTypes && said.ok()) said.value &= 1;           // the usual one
  if (cap == kXenHvm && said.ok()) said.value &= ~(1L << 8U);  // addresses of the process
  return said;
}

TEST_F(Refusal, ExtensionsAreWhatKvmSaysSaveTheRefused) {
  const Fd raw = open_device("/dev/kvm");
  const Fd ours = open_device();
  const Fd raw_vm(ctl(raw, KVM_CREATE_VM));
  const Fd our_vm(ctl(ours, KVM_CREATE_VM));
  ASSERT_TRUE(raw_vm.valid() && our_vm.valid());
  int present = 0;
  for (long cap = -2; cap <= 300; ++cap) {
    const Ret system_wide = ctl(raw, KVM_CHECK_EXTENSION, cap);
    const Ret for_vm = ctl(raw_vm, KVM_CHECK_EXTENSION, cap);
    EXPECT_EQ(ctl(ours, KVM_CHECK_EXTENSION, cap), without_refused(cap, system_wide)) << cap;
    EXPECT_EQ(ctl(our_vm, KVM_CHECK_EXTENSION, cap), without_refused(cap, for_vm)) << cap;
    if (for_vm.value > 0) ++present;
  }
  EXPECT_GT(present, 50);
  EXPECT_EQ(ctl(raw_vm, KVM_CHECK_EXTENSION, KVM_CAP_BINARY_STATS_FD), 1) << "else 0 says nothing";
}

TEST_F(Refusal, RefusedCommandsAnswerEpermWhateverTheirArgument) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  alignas(8) std::uint8_t room[4096];
  const auto refuses = [&room](int fd, const Command& command) {
    std::fill_n(room, sizeof room, 0xcc);
    EXPECT_EQ(ctl(fd, command.number, room), -EPERM) << command.name;
    EXPECT_EQ(std::count(room, room + sizeof room, 0xcc), 4096) << command.name;
    EXPECT_EQ(ctl(fd, command.number), -EPERM) << command.name << " with no argument";
  };
  for (const Command& command : kRefusedOnVm) {
    // Its number has the size of a long in it: KVM does not know that of 32 bits.
    if (sizeof(long) == 4 && command.number == KVM_MEMORY_ENCRYPT_OP) continue;
    refuses(machine.vm, command);
  }
  for (const Command& command : kRefusedOnVcpu) refuses(machine.cpu.fd, command);
  kvm_create_device device{.type = KVM_DEV_TYPE_VFIO, .fd = 0, .flags = KVM_CREATE_DEVICE_TEST};
  EXPECT_EQ(ctl(machine.vm, KVM_CREATE_DEVICE, &device), -EPERM);
  // A command that is newer than some kernels, where it is as unknown as any.
  const Machine raw(guest::halt(), "/dev/kvm");
  const bool known = !(ctl(raw.vm, kCreateGuestMemfd) == -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, kCreateGuestMemfd, room), known ? -EPERM : -ENOTTY);
}

// The fd kinds, and what each of them must not know.
TEST_F(Refusal, UnknownCommandsAnswerEnotty) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  alignas(8) std::uint8_t room[4096] = {};
  const std::pair<const char*, int> kinds[] = {
      {"system", machine.system}, {"VM", machine.vm}, {"vCPU", machine.cpu.fd}};
  const unsigned long unknown[] = {
      0,
      ~0UL & 0xffffffff,
      0x5401,  // TCGETS
      _IO(KVMIO, 0xff),
      _IOWR(KVMIO, 0x00, std::uint8_t[64]),
      _IO(0xAF, 0x00),
      _IO(VMCTL_IOC_MAGIC, 0x7f),
      _IOWR(VMCTL_IOC_MAGIC, 0xff, std::uint8_t[64]),
      _IO(0, 0x00),
  };
  for (const auto& [kind, fd] : kinds) {
    for (const unsigned long command : unknown) {
      EXPECT_EQ(ctl(fd, command, room), -ENOTTY) << kind << " " << std::hex << command;
    }
  }
  // Commands of another kind of fd.
  EXPECT_EQ(ctl(machine.system, KVM_RUN), -ENOTTY);
  EXPECT_EQ(ctl(machine.system, KVM_CREATE_VCPU), -ENOTTY);
  EXPECT_EQ(ctl(machine.system, VMCTL_LOAD_IMAGE, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, KVM_RUN), -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, KVM_CREATE_VM), -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, KVM_GET_REGS, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, KVM_KVMCLOCK_CTRL), -ENOTTY) << "kvmtool does so on resume";
  EXPECT_EQ(ctl(machine.vm, VMCTL_GET_INFO, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, VMCTL_CREATE_VM, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.vm, VMCTL_REVOKE_VM, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_CREATE_VCPU), -ENOTTY);
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_CREATE_VM), -ENOTTY);
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_SET_USER_MEMORY_REGION, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.cpu.fd, VMCTL_LOAD_IMAGE, room), -ENOTTY);
  EXPECT_EQ(ctl(machine.cpu.fd, VMCTL_REVOKE_VM, room), -ENOTTY);
}

// A command with another size or direction is another command.
TEST_F(Refusal, KnownNumbersOfAnotherShapeAnswerEnotty) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  alignas(8) std::uint8_t room[1 << 14] = {};
  const auto reshaped = [&room](const char* kind, int fd, std::span<const Command> commands) {
    std::set<unsigned long> known;
    for (const Command& command : commands) known.insert(command.number);
    for (const Command& command : commands) {
      const auto size = _IOC_SIZE(command.number);
      const auto direction = _IOC_DIR(command.number);
      for (const unsigned long other : {
               _IOC(direction, KVMIO, _IOC_NR(command.number), size + 1),
               _IOC(direction, KVMIO, _IOC_NR(command.number), size + 8),
               _IOC(direction, KVMIO, _IOC_NR(command.number), size == 0 ? 16 : size - 1),
               _IOC(direction ^ _IOC_READ, KVMIO, _IOC_NR(command.number), size),
               _IOC(direction ^ _IOC_WRITE, KVMIO, _IOC_NR(command.number), size),
           }) {
        if (known.contains(other)) continue;  // GET_PIT and GET_PIT2 share a number
        EXPECT_EQ(ctl(fd, other, room), -ENOTTY)
            << kind << " " << command.name << " as " << std::hex << other;
      }
    }
  };
  reshaped("system", machine.system, kSystemCommands);
  reshaped("VM", machine.vm, kVmCommands);
  reshaped("vCPU", machine.cpu.fd, kVcpuCommands);
}

// What the lists name gets as far as KVM, whose answer to a bad argument is no other than without
// us.
TEST_F(Refusal, WhatVmmsCallReachesKvm) {
  const Machine ours(guest::halt());
  const Machine raw(guest::halt(), "/dev/kvm");
  ASSERT_EQ(ours.built, 0);
  ASSERT_EQ(raw.built, 0);
  const auto same = [](int fd, int raw_fd, std::span<const Command> commands) {
    for (const Command& command : commands) {
      if (command.number == KVM_CREATE_VM || command.number == KVM_CREATE_VCPU) continue;
      // No memory at 1: KVM gets no further than its own copy of the argument.
      const Ret r = ctl(fd, command.number, 1);
      EXPECT_EQ(r, ctl(raw_fd, command.number, 1)) << command.name;
      EXPECT_FALSE(r == -EPERM) << command.name;
    }
  };
  same(ours.system, raw.system, kSystemCommands);
  same(ours.vm, raw.vm, kVmCommands);
  same(ours.cpu.fd, raw.cpu.fd, kVcpuCommands);
}

TEST_F(Rules, TheGuestAdds) {
  for (int turn = 0; turn < 3; ++turn) {
    const Machine machine(guest::add());
    ASSERT_EQ(machine.built, 0);
    std::string out;
    EXPECT_EQ(machine.run(&out), 0);
    EXPECT_EQ(out, "4\n");
    EXPECT_EQ(machine.cpu.run().exit_reason, static_cast<unsigned>(KVM_EXIT_HLT));
  }
}

TEST_F(Rules, ImmediateExitAnswersEintr) {
  const Machine machine(guest::loop());
  ASSERT_EQ(machine.built, 0);
  machine.cpu.run().immediate_exit = 1;
  EXPECT_EQ(machine.cpu.enter(), -EINTR);
}

// KVM_RUN takes no argument, and KVM says so.
TEST_F(Rules, RunWithAnArgumentIsRefused) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_RUN, 1), -EINVAL);
  EXPECT_EQ(machine.cpu.enter(), 0);
}

}  // namespace
