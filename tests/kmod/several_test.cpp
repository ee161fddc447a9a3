// SPDX-License-Identifier: GPL-2.0-only
//
// Several VMs of one process: KVM names its debugfs folder after the thread
// and a descriptor, and each VM must get one of its own.
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <thread>

#include "driver.hpp"
#include "kmsg.hpp"

namespace {

using namespace t;

class Several : public Own {
 protected:
  KernelLog log_;

  void expect_no_collision() {
    for (const KernelLine& line : log_.fresh()) {
      EXPECT_EQ(line.text.find("debugfs"), std::string::npos) << line.text;
      EXPECT_EQ(line.text.find("already present"), std::string::npos) << line.text;
    }
  }
};

void expect_folders(std::size_t vms) {
  const auto folders = kvm_debug_folders();
  EXPECT_EQ(folders.size(), vms) << ::testing::PrintToString(folders);
}

TEST_F(Several, VmsHaveAFolderEach) {
  constexpr std::size_t kVms = 20;
  std::vector<Machine> machines;
  for (std::size_t i = 0; i < kVms; ++i) {
    machines.emplace_back(guest::add());
    ASSERT_EQ(machines.back().built, 0) << i;
    expect_folders(i + 1);
  }
  EXPECT_EQ(table().size(), kVms);
  for (const Machine& machine : machines) {
    std::string out;
    EXPECT_EQ(machine.run(&out), 0);
    EXPECT_EQ(out, "4\n");
  }
  // Every other one goes and comes again.
  for (std::size_t i = 0; i < kVms; i += 2) machines[i] = Machine(guest::add());
  EXPECT_TRUE(eventually([] { return kvm_debug_folders().size() == kVms; }));
  expect_folders(kVms);
  machines.clear();
  expect_no_collision();
}

TEST_F(Several, ThreadsMakeVmsAtOnce) {
  constexpr int kThreads = 3;
  constexpr int kEach = 8;
  std::vector<Machine> made[kThreads];
  std::vector<std::thread> threads;
  for (auto& machines : made) {
    threads.emplace_back([&machines] {
      for (int i = 0; i < kEach; ++i) {
        machines.emplace_back(guest::add());
        if (i % 3 == 2) machines.erase(machines.begin());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::size_t alive = 0;
  for (const auto& machines : made) {
    alive += machines.size();
    for (const Machine& machine : machines) {
      EXPECT_EQ(machine.built, 0);
      EXPECT_EQ(machine.run(), 0);
    }
  }
  EXPECT_TRUE(eventually([=] { return table().size() == alive; }));
  expect_folders(alive);
  for (auto& machines : made) machines.clear();
  expect_no_collision();
}

// vCPUs of one VM are made one at a time by KVM; two threads may ask at once.
TEST_F(Several, ThreadsMakeVcpusAtOnce) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  std::vector<Vcpu> made[2];
  std::vector<std::thread> threads;
  for (unsigned half = 0; half < 2; ++half) {
    threads.emplace_back([&, half] {
      for (unsigned i = 0; i < 12; ++i) made[half].emplace_back(machine.vm, 1 + half * 12 + i);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& cpus : made) {
    for (const Vcpu& cpu : cpus) {
      EXPECT_TRUE(cpu.page.valid());
      EXPECT_EQ(cpu.reset(), 0);
      EXPECT_EQ(cpu.enter(), 0);
    }
  }
  EXPECT_EQ(table().front().vcpus, 25U);
  expect_no_collision();
}

// KVM's VM lives on without the fd that its folder is named after.
TEST_F(Several, AVmOutlivesItsFdAndItsNumber) {
  const Fd system = open_device();
  std::vector<Vcpu> cpus;
  for (int i = 0; i < 8; ++i) {
    Fd vm(ctl(system, KVM_CREATE_VM));
    const int number = vm;
    cpus.emplace_back(vm);
    ASSERT_TRUE(cpus.back().page.valid());
    vm.close();
    vm = Fd(ctl(system, KVM_CREATE_VM));
    EXPECT_EQ(static_cast<int>(vm), number) << "the number is given again";
    expect_folders(static_cast<std::size_t>(i) + 2);
    cpus.back().fd.close();  // the mapping alone holds it
  }
  expect_no_collision();
}

// The fd that KVM gave a VM: its name in KVM's debugfs is of that.
unsigned long number_of(std::uint32_t id) {
  const std::string name = slurp("/sys/kernel/debug/vmctl/" + std::to_string(id) + "/kvm");
  return std::stoul(name.substr(name.find('-') + 1));
}

// The numbers go round, as far as the limit on open files lets them, and leave out those in use.
TEST_F(Several, NumbersGoRound) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const Fd system = open_device();
  const auto limit = static_cast<std::uint32_t>(open_fds().back()) + 8;
  const rlimit few{.rlim_cur = limit, .rlim_max = before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  std::uint32_t id = 0;
  {
    Fd kept;
    do {
      kept = Fd();
      kept = Fd(create_vm(system, "kept", &id));
    } while (kept.valid() && number_of(id) != limit - 1);
    EXPECT_TRUE(kept.valid());
    for (std::uint32_t i = 1; i < limit; ++i) {
      EXPECT_TRUE(Fd(create_vm(system, "passing")).valid());
    }
    const Fd next(create_vm(system, "next", &id));
    EXPECT_TRUE(next.valid());
    EXPECT_EQ(number_of(id), 0U) << "the highest is in use";
    const std::string pid = std::to_string(::getpid());
    EXPECT_TRUE(eventually([] { return kvm_debug_folders().size() == 2; }));
    auto folders = kvm_debug_folders();
    std::sort(folders.begin(), folders.end());
    EXPECT_EQ(folders, (std::vector{pid + "-0", pid + "-" + std::to_string(limit - 1)}));
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  expect_no_collision();
}

// Another process drops the last reference, at its leisure, while the next VM is made.
TEST_F(Several, VmsThatOthersEndDoNotCollide) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  Fd here(pair[0]);
  Fd there(pair[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    here.close();
    while (receive_fd(there).valid()) {
    }
    ::_exit(0);
  }
  there.close();
  const Fd system = open_device();
  for (int i = 0; i < 50; ++i) {
    const Fd vm(ctl(system, KVM_CREATE_VM));
    ASSERT_TRUE(vm.valid());
    pass_fd(here, vm);
  }
  here.close();
  ::waitpid(child, nullptr, 0);
  expect_no_collision();
}

}  // namespace
