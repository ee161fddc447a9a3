// SPDX-License-Identifier: GPL-2.0-only
//
// Limits: who may hold how much; what is charged comes back, on every path.
#include <fcntl.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <thread>
#include <vector>

#include "leaks.hpp"
#include "limits.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

TEST_F(Limits, AreGenerousAtFirst) {
  vmctl_limits each{};
  ASSERT_EQ(get_limits(open_device(), VMCTL_SCOPE_DEFAULT, 0, &each), 0);
  EXPECT_EQ(each.limit[VMCTL_VMS], 128U);
  EXPECT_EQ(each.limit[VMCTL_VCPUS], 512U);
  EXPECT_EQ(each.limit[VMCTL_VM_VCPUS], 1024U);
  EXPECT_GE(each.limit[VMCTL_MEMORY], std::uint64_t{1} << 30);
  vmctl_limits total{};
  ASSERT_EQ(get_limits(open_device(), VMCTL_SCOPE_TOTAL, 0, &total), 0);
  EXPECT_EQ(total.limit[VMCTL_VMS], 512U);
  EXPECT_EQ(total.limit[VMCTL_MEMORY], 2 * each.limit[VMCTL_MEMORY]);
  vmctl_limits own{};
  ASSERT_EQ(get_limits(open_device(), VMCTL_SCOPE_USER, kUser, &own), 0);
  EXPECT_EQ(own.set, 0U);
  for (unsigned i = 0; i < VMCTL_RESOURCES; ++i) EXPECT_EQ(own.limit[i], each.limit[i]) << i;
}

TEST_F(Limits, OfVms) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, 2), 0);
  const std::uint64_t before = refused(0, VMCTL_VMS);
  const Fd system = open_device();
  Fd first(create_vm(system, "first"));
  const Fd second(ctl(system, KVM_CREATE_VM, 0));
  ASSERT_TRUE(first.valid() && second.valid());
  EXPECT_EQ(create_vm(system, "third"), -EDQUOT);
  EXPECT_EQ(ctl(system, KVM_CREATE_VM, 0), -EDQUOT);
  EXPECT_EQ(used(0, VMCTL_VMS), 2U);
  EXPECT_EQ(refused(0, VMCTL_VMS), before + 2);
  EXPECT_EQ(table().size(), 2U);
  first.close();
  EXPECT_TRUE(eventually([] { return used(0, VMCTL_VMS) == 1; }));
  EXPECT_TRUE(Fd(create_vm(system, "third")).valid());
}

TEST_F(Limits, OfVmsOfAllTogether) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_TOTAL, 0, VMCTL_VMS, 2), 0);
  const Fd system = open_device();
  const Fd mine(create_vm(system, "roots"));
  ASSERT_TRUE(mine.valid());
  EXPECT_EQ(in_child([]() -> std::string {
              NEED_EQ(become(kUser), kDone);
              const Fd theirs = open_device();
              const Fd one(create_vm(theirs, "one"));
              NEED(one.valid());
              NEED_EQ(create_vm(theirs, "two"), -EDQUOT);
              // Why, is told; how much others have, is not.
              vmctl_limits total{};
              NEED_EQ(get_limits(theirs, VMCTL_SCOPE_TOTAL, 0, &total), 0);
              NEED_EQ(total.limit[VMCTL_VMS], 2U);
              NEED_EQ(total.used[VMCTL_VMS], 0U);
              NEED_EQ(total.refused[VMCTL_VMS], 0U);
              vmctl_limits own{};
              NEED_EQ(get_limits(theirs, VMCTL_SCOPE_USER, kUser, &own), 0);
              NEED_EQ(own.used[VMCTL_VMS], 1U);
              NEED(own.refused[VMCTL_VMS] != 0);
              return "";
            }),
            "");
}

TEST_F(Limits, OfVcpusAndOfThoseOfAVm) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VM_VCPUS, 2), 0);
  const Fd system = open_device();
  const Fd vm(create_vm(system, "few"));
  Fd cpu(ctl(vm, KVM_CREATE_VCPU, 0));
  const Fd second(ctl(vm, KVM_CREATE_VCPU, 1));
  ASSERT_TRUE(cpu.valid() && second.valid());
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 2), -EDQUOT);
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 1), -EDQUOT) << "the limit comes first";
  EXPECT_EQ(used(0, VMCTL_VCPUS), 2U);
  // KVM keeps a vCPU as long as its VM.
  cpu.close();
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 2), -EDQUOT);

  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VCPUS, 3), 0);
  const Fd other(create_vm(system, "other"));
  const Fd third(ctl(other, KVM_CREATE_VCPU, 0));
  ASSERT_TRUE(third.valid());
  EXPECT_EQ(ctl(other, KVM_CREATE_VCPU, 1), -EDQUOT);
  EXPECT_EQ(used(0, VMCTL_VCPUS), 3U);
}

TEST_F(Limits, AFailedVcpuCostsNothing) {
  const Fd system = open_device();
  const Fd vm(create_vm(system, "twice"));
  const Fd cpu(ctl(vm, KVM_CREATE_VCPU, 0));
  ASSERT_TRUE(cpu.valid());
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 0), -EEXIST);
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 0x7fffffff), -EINVAL);
  EXPECT_EQ(used(0, VMCTL_VCPUS), 1U);
}

TEST_F(Limits, OfMemory) {
  constexpr std::uint64_t kPages = 16;
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_MEMORY, kPages * page_size()), 0);
  const Mapping memory = Mapping::memory(2 * kPages * page_size());
  const Fd system = open_device();
  const Fd vm(create_vm(system, "room"));
  ASSERT_TRUE(vm.valid());
  const auto slot = [&](unsigned id, std::uint64_t first, std::uint64_t pages) {
    return set_slot(vm, id, first * page_size(), pages * page_size(), memory.address());
  };
  EXPECT_EQ(slot(0, 0, kPages + 1), -EDQUOT);
  EXPECT_EQ(used(0, VMCTL_MEMORY), 0U);
  EXPECT_EQ(slot(0, 0, kPages), 0);
  EXPECT_EQ(used(0, VMCTL_MEMORY), kPages * page_size());
  EXPECT_EQ(slot(1, 100, 1), -EDQUOT);
  EXPECT_EQ(refused(0, VMCTL_MEMORY), 2U);
  // What is taken away may be had again.
  EXPECT_EQ(slot(0, 0, 0), 0);
  EXPECT_EQ(used(0, VMCTL_MEMORY), 0U);
  EXPECT_EQ(slot(1, 100, kPages - 1), 0);
  // What KVM itself refuses costs nothing: this slot is there with another size.
  EXPECT_EQ(slot(1, 100, kPages), -EINVAL);
  EXPECT_EQ(used(0, VMCTL_MEMORY), (kPages - 1) * page_size());
}

// The second address space, that of SMM, shows the same memory once more.
TEST_F(Limits, MemoryOfTwoAddressSpacesCountsOnce) {
  const Fd system = open_device();
  const Fd vm(create_vm(system, "smm"));
  if (ctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE).value < 2) {
    GTEST_SKIP() << "KVM has one address space alone";
  }
  const Mapping memory = Mapping::memory(3 * page_size());
  ASSERT_EQ(set_slot(vm, 0, 0, 2 * page_size(), memory.address()), 0);
  ASSERT_EQ(set_slot(vm, 1 << 16, 0, 2 * page_size(), memory.address()), 0);
  EXPECT_EQ(used(0, VMCTL_MEMORY), 2 * page_size());
  ASSERT_EQ(set_slot(vm, 1 << 16 | 1, 0x10000, page_size(), memory.address()), 0);
  EXPECT_EQ(used(0, VMCTL_MEMORY), 3 * page_size());
}

TEST_F(Limits, ChargesComeBack) {
  struct Way {
    const char* name;
    void (*end)(Machine& machine, std::uint32_t id);
  };
  // Each is done in a child that holds the machine. Where it goes on after that, what it was
  // charged is back although it lives, and although what was revoked is still open.
  static const Way ways[] = {
      {"closed",
       [](Machine& machine, std::uint32_t /*id*/) {
         machine.vm.close();
         machine.cpu = Vcpu();
       }},
      {"revoked", [](Machine& machine, std::uint32_t id) { (void)revoke(machine.system, id); }},
      {"exit", [](Machine& /*machine*/, std::uint32_t /*id*/) { ::_exit(0); }},
      {"killed", [](Machine& /*machine*/, std::uint32_t /*id*/) { ::kill(::getpid(), SIGKILL); }},
      {"killed while it runs",
       [](Machine& machine, std::uint32_t /*id*/) {
         std::thread([&] {
           std::this_thread::sleep_for(50ms);
           ::kill(::getpid(), SIGKILL);
         }).detach();
         (void)machine.cpu.enter();
       }},
      {"revoked while it runs",
       [](Machine& machine, std::uint32_t id) {
         std::thread revoker([&] {
           std::this_thread::sleep_for(50ms);
           (void)revoke(machine.system, id);
         });
         (void)machine.cpu.enter();
         revoker.join();
       }},
  };
  for (const Way& way : ways) {
    SCOPED_TRACE(way.name);
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      std::uint32_t id = 0;
      Machine machine = named(guest::loop(), "charged", &id);
      if (machine.built.value != 0 || nothing_is_used()) ::_exit(1);
      way.end(machine, id);
      ::_exit(eventually(nothing_is_used) ? 0 : 2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(status == 0 || status == SIGKILL) << status;
    EXPECT_TRUE(eventually(nothing_is_used));
  }
}

// What outlives its VM fd is still charged: the vCPU keeps KVM's VM.
TEST_F(Limits, AVcpuKeepsTheCharge) {
  Machine machine = named(guest::halt(), "kept");
  ASSERT_EQ(machine.built, 0);
  machine.vm.close();
  EXPECT_EQ(used(0, VMCTL_VMS), 1U);
  EXPECT_EQ(used(0, VMCTL_MEMORY), Machine::kMemory);
  machine.cpu.fd.close();
  EXPECT_EQ(used(0, VMCTL_VMS), 1U) << "the run page holds it";
  EXPECT_TRUE(machine.cpu.page.unmap());
  EXPECT_TRUE(eventually([] { return used(0, VMCTL_VMS) == 0; }));
}

TEST_F(Limits, OneUserInSeveralProcesses) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 3), 0);
  int made[2];
  int go[2];
  ASSERT_EQ(::pipe(made), 0);
  ASSERT_EQ(::pipe(go), 0);
  std::vector<pid_t> children;
  std::fflush(nullptr);
  for (int i = 0; i < 5; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      char byte = 'e';
      if (become(kUser).empty()) {
        const Ret vm = create_vm(open_device(), "one of five");
        byte = vm.ok() ? 'y' : vm == -EDQUOT ? 'n' : 'e';
      }
      (void)!::write(made[1], &byte, 1);
      (void)!::read(go[0], &byte, 1);
      ::_exit(0);
    }
    children.push_back(child);
  }
  std::string answers(5, ' ');
  for (char& answer : answers) ASSERT_EQ(::read(made[0], &answer, 1), 1);
  std::ranges::sort(answers);
  EXPECT_EQ(answers, "nnyyy");
  EXPECT_EQ(used(kUser, VMCTL_VMS), 3U);
  ASSERT_EQ(::write(go[1], "     ", 5), 5);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  for (const int fd : {made[0], made[1], go[0], go[1]}) ::close(fd);
}

// Tries to have one VM more; and what a user has by then, whoever he is called here.
std::string is_full(uid_t uid) {
  const Fd system = open_device();
  NEED_EQ(create_vm(system, "third"), -EDQUOT);
  vmctl_limits own{};
  NEED_EQ(get_limits(system, VMCTL_SCOPE_USER, uid, &own), 0);
  NEED_EQ(own.limit[VMCTL_VMS], 2U);
  NEED_EQ(own.used[VMCTL_VMS], 2U);
  return "";
}

// Root and init there, a user here: one sum.
TEST_F(Limits, OneUserInsideAndOutsideNamespaces) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 2), 0);
  const Fd made_inside(::eventfd(0, EFD_CLOEXEC));
  const Fd tried_outside(::eventfd(0, EFD_CLOEXEC));
  const auto live_inside = [&]() -> std::string {
    NEED_EQ(::getuid(), 0U);
    NEED_EQ(::getpid(), 1);
    const Fd vm(create_vm(open_device(), "inside"));
    NEED(vm.valid());
    if (std::string trouble = is_full(0); !trouble.empty()) return trouble;
    eventfd_t rung = 0;
    NEED(::eventfd_write(made_inside, 1) == 0 && ::eventfd_read(tried_outside, &rung) == 0);
    return "";
  };
  const auto enter = [&]() -> std::string {
    NEED(::unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
    NEED(spit("/proc/self/setgroups", "deny"));
    NEED(spit("/proc/self/uid_map", "0 " + std::to_string(kUser) + " 1"));
    return in_child(live_inside);
  };
  const auto live_outside = [&]() -> std::string {
    NEED_EQ(become(kUser), kDone);
    NEED(::prctl(PR_SET_DUMPABLE, 1) == 0);  // or /proc/self is root's
    const Fd vm(create_vm(open_device(), "outside"));
    NEED(vm.valid());
    std::string inside;
    std::thread other([&] {
      inside = in_child(enter);
      ::eventfd_write(made_inside, 1);
    });
    eventfd_t rung = 0;
    ::eventfd_read(made_inside, &rung);
    const std::string outside = is_full(kUser);
    ::eventfd_write(tried_outside, 1);
    other.join();
    return outside + inside;
  };
  EXPECT_EQ(in_child(live_outside), "");
}

TEST_F(Limits, AreSetByRootAlone) {
  EXPECT_EQ(in_child([]() -> std::string {
              NEED_EQ(become(kUser), kDone);
              const Fd system = open_device();
              vmctl_limits limits{};
              const __u64 none[VMCTL_RESOURCES] = {};
              for (const auto scope : {VMCTL_SCOPE_TOTAL, VMCTL_SCOPE_DEFAULT}) {
                NEED_EQ(set_limits(system, scope, 0, 1, none), -EPERM);
                NEED_EQ(get_limits(system, scope, 0, &limits), 0);
              }
              NEED_EQ(set_limits(system, VMCTL_SCOPE_USER, kUser, 1, none), -EPERM);
              NEED_EQ(get_limits(system, VMCTL_SCOPE_USER, 0, &limits), -EPERM);
              NEED_EQ(get_limits(system, VMCTL_SCOPE_USER, kUser, &limits), 0);
              return "";
            }),
            "");
}

TEST_F(Limits, RefuseWhatMakesNoSense) {
  const Fd system = open_device();
  vmctl_limits limits{};
  EXPECT_EQ(get_limits(system, 4, 0, &limits), -EINVAL);
  EXPECT_EQ(get_limits(system, VMCTL_SCOPE_NEXT, ~0U, &limits), -EINVAL);
  EXPECT_EQ(get_limits(system, VMCTL_SCOPE_TOTAL, 1, &limits), -EINVAL);
  EXPECT_EQ(get_limits(system, VMCTL_SCOPE_USER, ~0U, &limits), -EINVAL);
  limits = {.scope = VMCTL_SCOPE_TOTAL, .flags = 1};
  EXPECT_EQ(ctl(system, VMCTL_GET_LIMITS, &limits), -EINVAL);
  limits = {.scope = VMCTL_SCOPE_TOTAL, .set = 1U << VMCTL_RESOURCES};
  EXPECT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), -EINVAL);
  limits = {.scope = VMCTL_SCOPE_TOTAL};
  limits.used[VMCTL_VCPUS] = 1;
  EXPECT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), -EINVAL);
  limits = {.scope = VMCTL_SCOPE_TOTAL};
  limits.refused[0] = 1;
  EXPECT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), -EINVAL);
  for (const unsigned scope : {VMCTL_SCOPE_NEXT, 4}) {
    limits = {.scope = scope};
    EXPECT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), -EINVAL) << scope;
  }
  limits = {.scope = VMCTL_SCOPE_TOTAL, .flags = VMCTL_LIMITS_REPLACE << 1U};
  EXPECT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), -EINVAL);
}

// Whoever has limits of his own is found, by number.
TEST_F(Limits, OfUsersAreListed) {
  const Fd system = open_device();
  vmctl_limits limits{};
  EXPECT_EQ(get_limits(system, VMCTL_SCOPE_NEXT, 0, &limits), -ENOENT);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser + 1, VMCTL_VCPUS, 6), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 5), 0);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_NEXT, 0, &limits), 0);
  EXPECT_EQ(limits.scope, std::uint32_t{VMCTL_SCOPE_USER});
  EXPECT_EQ(limits.uid, kUser);
  EXPECT_EQ(limits.set, 1U << VMCTL_VMS);
  EXPECT_EQ(limits.limit[VMCTL_VMS], 5U);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_NEXT, kUser + 1, &limits), 0);
  EXPECT_EQ(limits.uid, kUser + 1);
  EXPECT_EQ(limits.limit[VMCTL_VCPUS], 6U);
  EXPECT_EQ(get_limits(system, VMCTL_SCOPE_NEXT, kUser + 2, &limits), -ENOENT);
  EXPECT_EQ(in_child([]() -> std::string {
              NEED_EQ(become(kUser), kDone);
              vmctl_limits none{};
              NEED_EQ(get_limits(open_device(), VMCTL_SCOPE_NEXT, 0, &none), -EPERM);
              return "";
            }),
            "");
}

// What is replaced is, but for what is named, as it was when the module was loaded.
TEST_F(Limits, AreReplacedAsAWhole) {
  const Fd system = open_device();
  ASSERT_EQ(set_limit(VMCTL_SCOPE_DEFAULT, 0, VMCTL_VMS, 3), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_TOTAL, 0, VMCTL_VMS, 4), 0);
  vmctl_limits limits{.scope = VMCTL_SCOPE_DEFAULT};
  limits.set = 1U << VMCTL_VCPUS;
  limits.flags = VMCTL_LIMITS_REPLACE;
  limits.limit[VMCTL_VCPUS] = 9;
  ASSERT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), 0);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_DEFAULT, 0, &limits), 0);
  EXPECT_EQ(limits.limit[VMCTL_VMS], 128U);
  EXPECT_EQ(limits.limit[VMCTL_VCPUS], 9U);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_TOTAL, 0, &limits), 0);
  EXPECT_EQ(limits.limit[VMCTL_VMS], 4U) << "that of all stays";
  limits = {.scope = VMCTL_SCOPE_TOTAL, .flags = VMCTL_LIMITS_REPLACE};
  ASSERT_EQ(ctl(system, VMCTL_SET_LIMITS, &limits), 0);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_TOTAL, 0, &limits), 0);
  EXPECT_EQ(limits.limit[VMCTL_VMS], 512U);
}

TEST_F(Limits, AreKeptOfSoManyUsers) {
  constexpr uid_t kFirst = 20'000;
  constexpr uid_t kMost = 1024;
  for (uid_t i = 0; i < kMost; ++i) {
    ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kFirst + i, VMCTL_VMS, 1), 0) << i;
  }
  EXPECT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 1), -ENOSPC);
  EXPECT_EQ(set_limit(VMCTL_SCOPE_USER, kFirst, VMCTL_VMS, 2), 0) << "he has a place already";
  const __u64 none[VMCTL_RESOURCES] = {};
  EXPECT_EQ(set_limits(open_device(), VMCTL_SCOPE_USER, kUser, 0, none), 0) << "takes none";
  EXPECT_EQ(set_limits(open_device(), VMCTL_SCOPE_USER, kFirst, 0, none), 0);
  EXPECT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 1), 0);
}

// Below what is in use nobody loses anything; but gets no more.
TEST_F(Limits, CanBeSetBelowWhatIsUsed) {
  const Fd system = open_device();
  const Fd first(create_vm(system, "first"));
  const Machine second = named(guest::add(), "second");
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, 1), 0);
  EXPECT_EQ(create_vm(system, "third"), -EDQUOT);
  std::string out;
  EXPECT_EQ(second.run(&out), 0);
  EXPECT_EQ(out, "4\n");
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, VMCTL_UNLIMITED), 0);
  EXPECT_TRUE(Fd(create_vm(system, "third")).valid());
}

TEST_F(Limits, OfAUserAreThoseOfEachAgain) {
  const __u64 values[VMCTL_RESOURCES] = {7, 8, 9, 10};
  const Fd system = open_device();
  ASSERT_EQ(set_limits(system, VMCTL_SCOPE_USER, kUser, 0b1010, values), 0);
  vmctl_limits own{};
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_USER, kUser, &own), 0);
  EXPECT_EQ(own.set, 0b1010U);
  EXPECT_EQ(own.limit[VMCTL_VMS], 128U);
  EXPECT_EQ(own.limit[VMCTL_VCPUS], 8U);
  EXPECT_EQ(own.limit[VMCTL_VM_VCPUS], 10U);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_DEFAULT, 0, VMCTL_VMS, 5), 0);
  ASSERT_EQ(set_limits(system, VMCTL_SCOPE_USER, kUser, 0, values), 0);
  ASSERT_EQ(get_limits(system, VMCTL_SCOPE_USER, kUser, &own), 0);
  EXPECT_EQ(own.set, 0U);
  EXPECT_EQ(own.limit[VMCTL_VMS], 5U);
  EXPECT_EQ(own.limit[VMCTL_VCPUS], 512U);
}

TEST_F(Limits, AreFilesToo) {
  const std::string folder = "/sys/class/vmctl/vmctl/";
  EXPECT_EQ(slurp(folder + "user/vms"), "128\n");
  EXPECT_TRUE(spit(folder + "user/vms", "3\n"));
  vmctl_limits each{};
  ASSERT_EQ(get_limits(open_device(), VMCTL_SCOPE_DEFAULT, 0, &each), 0);
  EXPECT_EQ(each.limit[VMCTL_VMS], 3U);
  EXPECT_TRUE(spit(folder + "user/memory", "5M"));
  EXPECT_EQ(slurp(folder + "user/memory"), "5242880\n");
  EXPECT_TRUE(spit(folder + "total/vcpus", "max\n"));
  EXPECT_EQ(slurp(folder + "total/vcpus"), "max\n");
  for (const char* bad : {"\n", "-1", "1x", "2M", "0x10", "18446744073709551616", "1 2", "MAX"}) {
    EXPECT_FALSE(spit(folder + "user/vms", bad)) << bad;
  }
  for (const char* bad : {"M", "17179869184G", "1KK", "1k"}) {
    EXPECT_FALSE(spit(folder + "user/memory", bad)) << bad;
  }
  EXPECT_EQ(slurp(folder + "user/vms"), "3\n");
  const Machine machine = named(guest::halt(), "seen");
  EXPECT_EQ(slurp(folder + "used/vms"), "1\n");
  EXPECT_EQ(slurp(folder + "used/vcpus"), "1\n");
  EXPECT_EQ(slurp(folder + "used/memory"), std::to_string(Machine::kMemory) + "\n");
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, 0), 0);
  const auto count = std::stoull(slurp(folder + "refused/vms"));
  EXPECT_EQ(create_vm(machine.system, "none"), -EDQUOT);
  EXPECT_EQ(slurp(folder + "refused/vms"), std::to_string(count + 1) + "\n");
}

// Threads that make and close at the limit never get past it, and nothing stays charged.
TEST_F(Limits, HoldAgainstThreads) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, 3), 0);
  const Fd system = open_device();
  std::atomic<int> held = 0;
  std::atomic<int> most = 0;
  std::atomic<int> refusals = 0;
  constexpr int kThreads = 6;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int turn = 0; turn < 60; ++turn) {
        Fd vm(ctl(system, KVM_CREATE_VM, 0));
        if (!vm.valid()) {
          ++refusals;
          continue;
        }
        const int now = ++held;
        int seen = most;
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        --held;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_GT(refusals, 0) << "it was never reached";
}

// As `user`, who may have one VM, in a user namespace of his own: as one of his subordinate ids
// (subuid(5)) there he has no more. The caller may map them; `meanwhile` is asked while the VM is.
std::string with_a_subordinate_id(uid_t user, uid_t subordinate,
                                  const std::function<std::string()>& meanwhile) {
  int to_parent[2];
  int to_child[2];
  NEED(::pipe2(to_parent, O_CLOEXEC) == 0 && ::pipe2(to_child, O_CLOEXEC) == 0);
  const auto wait_for = [](int fd) {
    char byte = 0;
    return ::read(fd, &byte, 1) == 1 ? byte : 'x';
  };
  const auto say = [](int fd, char byte) { return ::write(fd, &byte, 1) == 1; };
  const pid_t child = ::fork();
  if (child == 0) {
    bool well =
        become(user).empty() && ::prctl(PR_SET_DUMPABLE, 1) == 0 && ::unshare(CLONE_NEWUSER) == 0;
    well = say(to_parent[1], well ? 'y' : 'n') && wait_for(to_child[0]) == 'y' && well;
    well = well && ::setresuid(1, 1, 1) == 0;
    const Fd system = open_device();
    const Fd vm(create_vm(system, "first"));
    well = well && vm.valid() && create_vm(system, "second") == -EDQUOT;
    vmctl_event event{};
    while (ctl(system, VMCTL_GET_EVENT, &event).ok() && event.kind != VMCTL_EVENT_LIMIT) {
    }
    well = well && event.kind == VMCTL_EVENT_LIMIT && event.uid == 1 && event.payer == 0;
    if (say(to_parent[1], well ? 'y' : 'n')) wait_for(to_child[0]);
    ::_exit(0);
  }
  const auto end = [&](std::string trouble) {
    say(to_child[1], 'y');
    ::waitpid(child, nullptr, 0);
    for (const int fd : {to_parent[0], to_parent[1], to_child[0], to_child[1]}) ::close(fd);
    return trouble;
  };
  if (wait_for(to_parent[0]) != 'y') return end("no user namespace");
  if (!spit("/proc/" + std::to_string(child) + "/uid_map",
            "0 " + std::to_string(user) + " 1\n1 " + std::to_string(subordinate) + " 10\n"))
    return end("cannot map ids");
  if (!say(to_child[1], 'y') || wait_for(to_parent[0]) != 'y') return end("not one VM");
  return end(meanwhile());
}

// Whoever has subordinate ids can be many users in a namespace of his own: that is no way to more.
TEST_F(Limits, SubordinateIdsAreChargedToWhoeverHasThem) {
  constexpr uid_t kSubordinate = 100000;
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 1), 0);
  EXPECT_EQ(with_a_subordinate_id(kUser, kSubordinate,
                                  [&]() -> std::string {
                                    NEED_EQ(used(kUser, VMCTL_VMS), 1U);
                                    NEED_EQ(used(kSubordinate, VMCTL_VMS), 0U);
                                    const auto rows = table();
                                    NEED_EQ(rows.size(), 1U);
                                    NEED_EQ(rows[0].uid, kSubordinate);  // his all the same
                                    return "";
                                  }),
            "");
}

// Nor for one within a container that root made.
TEST_F(Limits, SubordinateIdsWithinAContainerAreNoWayToMoreEither) {
  constexpr uid_t kContainer = 100000;
  constexpr uid_t kInside = 1000;
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kContainer + kInside, VMCTL_VMS, 1), 0);
  const auto live = [&]() -> std::string {
    int ready[2];
    NEED(::pipe2(ready, O_CLOEXEC) == 0);
    const pid_t self = ::getpid();
    const pid_t helper = ::fork();
    if (helper == 0) {
      char byte = 0;
      const std::string ids = "0 " + std::to_string(kContainer) + " 65536";
      const std::string folder = "/proc/" + std::to_string(self) + "/";
      const bool well = ::read(ready[0], &byte, 1) == 1 && spit(folder + "uid_map", ids) &&
                        spit(folder + "gid_map", ids);
      ::_exit(well ? 0 : 1);
    }
    NEED(::unshare(CLONE_NEWUSER) == 0);
    NEED(::write(ready[1], "y", 1) == 1);
    int status = -1;
    NEED(::waitpid(helper, &status, 0) == helper && status == 0);
    NEED(::setresgid(0, 0, 0) == 0 && ::setresuid(0, 0, 0) == 0);
    return with_a_subordinate_id(kInside, 20000, [] { return std::string(); });
  };
  EXPECT_EQ(in_child(live), "");
}

// As many as a lab has, with a vCPU and memory each: all are there, and all is given back.
TEST_F(Limits, FiveHundredVmsAtOnce) {
  const unsigned vms = finds_leaks() ? 100 : 500;  // that kernel is slow
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit many{4096, std::max<rlim_t>(before.rlim_max, 4096)};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &many), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, vms), 0);
  const Mapping memory = Mapping::memory(page_size());
  {
    const Fd system = open_device();
    std::vector<Fd> all;
    for (unsigned i = 0; i < vms; ++i) {
      SCOPED_TRACE(i);
      all.emplace_back(create_vm(system, "one of many"));
      const int vm = all.back();
      ASSERT_TRUE(all.back().valid());
      ASSERT_EQ(set_slot(vm, 0, 0, page_size(), memory.address()), 0);
      all.emplace_back(ctl(vm, KVM_CREATE_VCPU, 0));
      ASSERT_TRUE(all.back().valid());
    }
    EXPECT_EQ(create_vm(system, "one too many"), -EDQUOT);
    EXPECT_EQ(table().size(), vms);
    EXPECT_EQ(used(0, VMCTL_VMS), vms);
    EXPECT_EQ(used(0, VMCTL_VCPUS), vms);
    EXPECT_EQ(used(0, VMCTL_MEMORY), vms * page_size());
  }
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(eventually([] { return used(0, VMCTL_VMS) == 0; }));
}

}  // namespace
