// SPDX-License-Identifier: GPL-2.0-only
//
// Who may have VMs that run VMs: each way to one is charged, and with a limit of none, shut.
#include <cstring>
#include <iostream>
#include <vector>

#include "limits.hpp"
#include "race.hpp"

namespace {

using namespace t;

constexpr std::uint64_t kSvme = 1 << 12;
constexpr std::uint32_t kEfer = 0xc0000080;
constexpr std::uint32_t kSvmLeaf = 0x80000001;
constexpr std::uint32_t kSvmBit = 1U << 2;
constexpr std::uint32_t kVmxBit = 1U << 5;

// kvm_cpuid2 with room behind it.
class Cpuid {
 public:
  static constexpr std::uint32_t kRoom = 256;

  Cpuid() : bytes_(sizeof(kvm_cpuid2) + kRoom * sizeof(kvm_cpuid_entry2)) { get()->nent = kRoom; }
  kvm_cpuid2* get() { return reinterpret_cast<kvm_cpuid2*>(bytes_.data()); }
  kvm_cpuid_entry2* leaf(std::uint32_t function) {
    for (std::uint32_t i = 0; i < get()->nent; ++i)
      if (get()->entries[i].function == function) return &get()->entries[i];
    return nullptr;
  }
  bool has_svm() { return leaf(kSvmLeaf) != nullptr && (leaf(kSvmLeaf)->ecx & kSvmBit) != 0; }

 private:
  std::vector<std::uint8_t> bytes_;
};

class Nested : public Limits {
 protected:
  void SetUp() override {
    Limits::SetUp();
    if (IsSkipped()) return;
    Cpuid supported;
    const Fd raw = open_device("/dev/kvm");
    if (!raw.valid() || !ctl(raw, KVM_GET_SUPPORTED_CPUID, supported.get()).ok() ||
        !supported.has_svm()) {
      GTEST_SKIP() << "KVM has no nested SVM here";
    }
  }
  static void allow(std::uint64_t vms) {
    ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_NESTED, vms), 0);
  }
  static std::uint64_t efer(int cpu) {
    kvm_sregs sregs{};
    EXPECT_EQ(ctl(cpu, KVM_GET_SREGS, &sregs), 0);
    return sregs.efer;
  }
};

// One after the other, on a vCPU: the ways in.
Ret by_cpuid(const Machine& machine) {
  Cpuid cpuid;
  const Fd raw = open_device("/dev/kvm");
  if (const Ret r = ctl(raw, KVM_GET_SUPPORTED_CPUID, cpuid.get()); !r.ok()) return r;
  return ctl(machine.cpu.fd, KVM_SET_CPUID2, cpuid.get());
}

Ret by_old_cpuid(const Machine& machine) {
  struct {
    kvm_cpuid head;
    kvm_cpuid_entry entry;
  } cpuid{.head = {.nent = 1, .padding = 0, .entries = {}}, .entry = {}};
  cpuid.entry.function = kSvmLeaf;
  cpuid.entry.ecx = kSvmBit;
  return ctl(machine.cpu.fd, KVM_SET_CPUID, &cpuid);
}

Ret by_vmx(const Machine& machine) {
  Cpuid cpuid;
  cpuid.get()->nent = 1;
  cpuid.get()->entries[0] = {};
  cpuid.get()->entries[0].function = 1;
  cpuid.get()->entries[0].ecx = kVmxBit;
  return ctl(machine.cpu.fd, KVM_SET_CPUID2, cpuid.get());
}

Ret by_sregs(const Machine& machine) {
  kvm_sregs sregs{};
  if (const Ret r = ctl(machine.cpu.fd, KVM_GET_SREGS, &sregs); !r.ok()) return r;
  sregs.efer |= kSvme;
  return ctl(machine.cpu.fd, KVM_SET_SREGS, &sregs);
}

Ret by_sregs2(const Machine& machine) {
  kvm_sregs2 sregs{};
  if (const Ret r = ctl(machine.cpu.fd, KVM_GET_SREGS2, &sregs); !r.ok()) return r;
  sregs.efer |= kSvme;
  return ctl(machine.cpu.fd, KVM_SET_SREGS2, &sregs);
}

Ret by_msrs(const Machine& machine) {
  struct {
    kvm_msrs head;
    kvm_msr_entry entries[2];
  } msrs{};
  msrs.head.nmsrs = 2;
  msrs.entries[0] = {.index = 0x10, .reserved = 0, .data = 1};
  msrs.entries[1] = {.index = kEfer, .reserved = 0, .data = kSvme};
  const Ret r = ctl(machine.cpu.fd, KVM_SET_MSRS, &msrs);
  return r.value == 2 ? Ret(0) : r;
}

Ret by_run_page(const Machine& machine) {
  kvm_run& run = machine.cpu.run();
  kvm_sregs sregs{};
  if (const Ret r = ctl(machine.cpu.fd, KVM_GET_SREGS, &sregs); !r.ok()) return r;
  sregs.efer |= kSvme;
  run.s.regs.sregs = sregs;
  run.kvm_dirty_regs = KVM_SYNC_X86_SREGS;
  return machine.cpu.enter();
}

Ret by_state(const Machine& machine) {
  kvm_nested_state state{};
  state.size = sizeof state;
  state.format = KVM_STATE_NESTED_FORMAT_SVM;
  return ctl(machine.cpu.fd, KVM_SET_NESTED_STATE, &state);
}

struct Way {
  const char* name;
  Ret (*go)(const Machine& machine);
};

constexpr Way kWays[] = {
    {"KVM_SET_CPUID2", by_cpuid}, {"KVM_SET_CPUID", by_old_cpuid},    {"VMX", by_vmx},
    {"KVM_SET_SREGS", by_sregs},  {"KVM_SET_SREGS2", by_sregs2},      {"KVM_SET_MSRS", by_msrs},
    {"run page", by_run_page},    {"KVM_SET_NESTED_STATE", by_state},
};

TEST_F(Nested, IsFreeAtFirst) {
  Cpuid cpuid;
  const Fd system = open_device();
  ASSERT_EQ(ctl(system, KVM_GET_SUPPORTED_CPUID, cpuid.get()), 0);
  EXPECT_TRUE(cpuid.has_svm());
  const Machine machine(guest::add());
  EXPECT_EQ(by_cpuid(machine), 0);
  EXPECT_EQ(used(0, VMCTL_NESTED), 1U);
}

TEST_F(Nested, NoWayInWhereNoneIsAllowed) {
  allow(0);
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.name);
    const Machine machine(guest::add());
    ASSERT_EQ(machine.built, 0);
    EXPECT_EQ(way.go(machine), -EDQUOT);
    EXPECT_EQ(used(0, VMCTL_NESTED), 0U);
    EXPECT_EQ(efer(machine.cpu.fd) & kSvme, 0U);
    Cpuid cpuid;
    ASSERT_EQ(ctl(machine.cpu.fd, KVM_GET_CPUID2, cpuid.get()), 0);
    EXPECT_FALSE(cpuid.has_svm());
    // All else goes on.
    machine.cpu.run().kvm_dirty_regs = 0;
    EXPECT_EQ(machine.run(), 0);
  }
}

TEST_F(Nested, IsHiddenWhereNoneIsAllowed) {
  allow(0);
  const Fd system = open_device();
  Cpuid cpuid;
  ASSERT_EQ(ctl(system, KVM_GET_SUPPORTED_CPUID, cpuid.get()), 0);
  EXPECT_FALSE(cpuid.has_svm());
  EXPECT_NE(cpuid.leaf(1), nullptr) << "all else stands there";
  EXPECT_EQ(ctl(system, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE), 0);
  const Machine machine(guest::add());
  EXPECT_EQ(ctl(machine.vm, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE), 0);
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_SET_CPUID2, cpuid.get()), 0);
  EXPECT_EQ(machine.run(), 0);
}

TEST_F(Nested, EachVmCountsOnce) {
  allow(1);
  for (const Way& way : kWays) {
    SCOPED_TRACE(way.name);
    {
      const Machine machine(guest::add());
      const Ret r = way.go(machine);
      EXPECT_NE(r, -EDQUOT);
      EXPECT_EQ(used(0, VMCTL_NESTED), 1U);
      EXPECT_NE(by_sregs(machine), -EDQUOT) << "it is one already";
      EXPECT_EQ(used(0, VMCTL_NESTED), 1U);
      const Machine second(guest::add());
      EXPECT_EQ(by_sregs(second), -EDQUOT);
    }
    EXPECT_TRUE(eventually([] { return used(0, VMCTL_NESTED) == 0; }));
  }
}

TEST_F(Nested, TheLimitOfAllCounts) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_TOTAL, 0, VMCTL_NESTED, 0), 0);
  const Machine machine(guest::add());
  EXPECT_EQ(by_cpuid(machine), -EDQUOT);
  EXPECT_EQ(by_run_page(machine), -EDQUOT);
}

TEST_F(Nested, BadArgumentsAreAsWithKvm) {
  allow(0);
  const Machine machine(guest::add());
  const int cpu = machine.cpu.fd;
  for (const unsigned long command :
       {KVM_SET_CPUID, KVM_SET_CPUID2, KVM_SET_SREGS, KVM_SET_SREGS2, KVM_SET_MSRS}) {
    SCOPED_TRACE(command);
    EXPECT_EQ(ctl(cpu, command, 8UL), -EFAULT);
  }
  std::uint32_t many[2] = {257, 0};
  EXPECT_EQ(ctl(cpu, KVM_SET_CPUID, many), -E2BIG);
  EXPECT_EQ(ctl(cpu, KVM_SET_CPUID2, many), -E2BIG);
  EXPECT_EQ(ctl(cpu, KVM_SET_MSRS, many), -E2BIG);
  kvm_sregs sregs{};
  ASSERT_EQ(ctl(cpu, KVM_GET_SREGS, &sregs), 0);
  sregs.cr4 = ~std::uint64_t{0};
  EXPECT_EQ(ctl(cpu, KVM_SET_SREGS, &sregs), -EINVAL);
}

// --- the page that stands for the run page --------------------------------

TEST_F(Nested, AWatchedGuestRunsAsAnyOther) {
  allow(0);
  const Machine machine(guest::add());
  ASSERT_EQ(machine.built, 0);
  std::string out;
  EXPECT_EQ(machine.run(&out), 0);
  EXPECT_FALSE(out.empty());
  EXPECT_EQ(machine.cpu.run().exit_reason, std::uint32_t{KVM_EXIT_HLT});
  ASSERT_EQ(machine.cpu.reset(), 0);
  machine.cpu.run().immediate_exit = 1;
  EXPECT_EQ(machine.cpu.enter(), -EINTR);
  EXPECT_EQ(machine.cpu.run().immediate_exit, 1) << "what user space wrote stays";
  machine.cpu.run().immediate_exit = 0;
  // Registers by the run page, both ways.
  kvm_run& run = machine.cpu.run();
  ASSERT_EQ(ctl(machine.cpu.fd, KVM_GET_REGS, &run.s.regs.regs), 0);
  run.s.regs.regs.rax = 1;
  run.s.regs.regs.rbx = 6;
  run.kvm_dirty_regs = KVM_SYNC_X86_REGS;
  run.kvm_valid_regs = KVM_SYNC_X86_REGS;
  ASSERT_EQ(machine.cpu.enter(), 0);
  ASSERT_EQ(run.exit_reason, std::uint32_t{KVM_EXIT_IO});
  EXPECT_EQ(machine.cpu.port_byte(), '7');
  EXPECT_EQ(run.kvm_dirty_regs, 0U);
  EXPECT_EQ(run.s.regs.regs.rax & 0xff, std::uint64_t{'7'});
}

TEST_F(Nested, WhatAGuestReadsFromADeviceArrives) {
  allow(0);
  // mov al, [0xa000:0]; out 0x3f8, al; hlt: with nothing there, KVM asks user space.
  const Machine machine(
      Bytes{0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0xa0, 0x00, 0x00, 0xba, 0xf8, 0x03, 0xee, 0xf4});
  ASSERT_EQ(machine.built, 0);
  ASSERT_EQ(machine.cpu.enter(), 0);
  kvm_run& run = machine.cpu.run();
  ASSERT_EQ(run.exit_reason, std::uint32_t{KVM_EXIT_MMIO});
  EXPECT_EQ(run.mmio.phys_addr, 0xf0000U);
  run.mmio.data[0] = 'x';
  ASSERT_EQ(machine.cpu.enter(), 0);
  ASSERT_EQ(run.exit_reason, std::uint32_t{KVM_EXIT_IO});
  EXPECT_EQ(machine.cpu.port_byte(), 'x');
}

// --- races -------------------------------------------------------------------

// What KVM answers of itself.
bool kvm_has_svm(int cpu, Cpuid& room) {
  room.get()->nent = Cpuid::kRoom;
  EXPECT_EQ(ctl(cpu, KVM_GET_CPUID2, room.get()), 0);
  return room.has_svm();
}

TEST_F(Nested, ARewrittenCpuidIsNotTaken) {
  if (!can_race()) GTEST_SKIP() << kAlone;
  allow(0);
  const Machine machine(guest::add());
  Cpuid now;
  List<kvm_cpuid2, kvm_cpuid_entry2, 2> cpuid{};
  cpuid->nent = 1;
  cpuid[0].function = kSvmLeaf;
  int set = 0;
  int refused = 0;
  {
    const Meanwhile writer([&] {
      auto* ecx = const_cast<volatile std::uint32_t*>(&cpuid[0].ecx);
      auto* function = const_cast<volatile std::uint32_t*>(&cpuid[0].function);
      auto* nent = const_cast<volatile std::uint32_t*>(&cpuid->nent);
      *ecx = kSvmBit;
      *function = 1;
      *nent = 2;
      *function = kSvmLeaf;
      *nent = 1;
      *ecx = 0;
    });
    for (Tries tries; tries.go_on();) {
      const Ret r = ctl(machine.cpu.fd, KVM_SET_CPUID2, cpuid.room);
      if (!r.ok()) {
        ASSERT_TRUE(r == -EDQUOT || r == -EFAULT) << r;
        ++refused;
        continue;
      }
      ++set;
      ASSERT_FALSE(kvm_has_svm(machine.cpu.fd, now));
    }
  }
  EXPECT_GT(set, 0);
  EXPECT_GT(refused, 0) << "the race never took place";
  EXPECT_EQ(used(0, VMCTL_NESTED), 0U);
  std::cout << set << " set, " << refused << " refused\n";
}

// A vCPU without a run page: who races against a covering maps nothing.
TEST_F(Nested, AMappingPutOverACpuidCostsTheVm) {
  if (!can_race()) GTEST_SKIP() << kAlone;
  allow(0);
  const Fd system = open_device();
  Fd vm(create_vm(system, "covered"));
  Fd cpu(ctl(vm, KVM_CREATE_VCPU, 0));
  ASSERT_TRUE(cpu.valid());
  Cpuid now;
  List<kvm_cpuid2, kvm_cpuid_entry2, 1> plain{};
  plain->nent = 1;
  plain[0].function = kSvmLeaf;
  auto evil = plain;
  evil[0].ecx = kSvmBit;
  int set = 0;
  int lost = 0;
  {
    const Covering covering({bytes_of(evil)});
    for (Tries tries; tries.go_on();) {
      const Ret r = ctl(cpu, KVM_SET_CPUID2, plain.room);
      if (r == kUnread) continue;
      if (r == -ENODEV) {
        ++lost;
        ASSERT_EQ(ctl(cpu, KVM_GET_CPUID2, now.get()), -ENODEV);
        cpu.close();
        vm = Fd(create_vm(system, "covered"));
        cpu = Fd(ctl(vm, KVM_CREATE_VCPU, 0));
        ASSERT_TRUE(cpu.valid());
        continue;
      }
      ASSERT_EQ(r, 0);
      ++set;
      ASSERT_FALSE(kvm_has_svm(cpu, now));
    }
  }
  EXPECT_GT(set, 0);
  EXPECT_GT(lost, 0) << "nothing was ever put over the copy";
  EXPECT_EQ(used(0, VMCTL_NESTED), 0U);
  std::cout << set << " set, " << lost << " VMs lost\n";
}

TEST_F(Nested, ARewrittenRunPageIsNotTaken) {
  if (!can_race()) GTEST_SKIP() << kAlone;
  allow(0);
  const Machine machine(guest::outs_forever());
  kvm_run& run = machine.cpu.run();
  kvm_sregs plain{};
  ASSERT_EQ(ctl(machine.cpu.fd, KVM_GET_SREGS, &plain), 0);
  run.s.regs.sregs = plain;
  int ran = 0;
  int refused = 0;
  {
    const Meanwhile writer([&] {
      auto* value = const_cast<volatile __u64*>(&run.s.regs.sregs.efer);
      *value = plain.efer | kSvme;
      *value = plain.efer;
    });
    for (Tries tries; tries.go_on();) {
      run.s.regs.sregs.cr0 = plain.cr0;
      run.kvm_dirty_regs = KVM_SYNC_X86_SREGS;
      const Ret r = machine.cpu.enter();
      if (!r.ok()) {
        ASSERT_EQ(r, -EDQUOT);
        ++refused;
        continue;
      }
      ++ran;
      ASSERT_EQ(efer(machine.cpu.fd) & kSvme, 0U);
    }
  }
  EXPECT_GT(ran, 0);
  EXPECT_GT(refused, 0) << "the race never took place";
  std::cout << ran << " ran, " << refused << " refused\n";
}

}  // namespace
