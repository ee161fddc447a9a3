// SPDX-License-Identifier: GPL-2.0-only
//
// Several VMs of one process: KVM names its debugfs folder after the thread
// and a descriptor, and each VM must get one of its own.
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

}  // namespace
