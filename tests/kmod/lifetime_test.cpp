// SPDX-License-Identifier: GPL-2.0-only
//
// A VM lives until its last VM fd, vCPU fd and mapping of a run page is gone,
// in whatever order they go.
#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "driver.hpp"
#include "parts.hpp"

namespace {

using namespace t;

class Lifetime : public Own {};

TEST_F(Lifetime, AnyOrderOfClosing) {
  std::array<Part, 4> order = kParts;
  do {
    std::uint32_t id = 0;
    Machine machine = named(guest::outs(100), "order", &id);
    ASSERT_EQ(machine.built, 0);
    std::array<bool, 4> held = {true, true, true, true};
    for (const Part part : order) {
      drop(machine, part);
      held[part] = false;
      const bool lives = held[kVm] || held[kVcpu] || held[kPage];
      if (lives) {
        EXPECT_TRUE(row_of(id)) << ::testing::PrintToString(order) << " after " << part;
      } else {
        EXPECT_TRUE(eventually([&] { return !row_of(id); }))
            << ::testing::PrintToString(order) << " after " << part;
      }
      if (held[kVcpu]) {
        EXPECT_EQ(machine.cpu.enter(), 0) << "a vCPU needs no VM fd";
        if (held[kPage]) EXPECT_EQ(machine.cpu.run().exit_reason, unsigned{KVM_EXIT_IO});
      }
      if (held[kPage]) machine.cpu.run().request_interrupt_window = 0;  // still writable
    }
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_F(Lifetime, ADuplicateHoldsTheVm) {
  std::uint32_t id = 0;
  Machine machine = named(guest::halt(), "dup", &id);
  const Fd other(::fcntl(machine.vm, F_DUPFD_CLOEXEC, 100));
  for (const Part part : kParts) drop(machine, part);
  EXPECT_TRUE(row_of(id));
  EXPECT_TRUE(Fd(ctl(other, KVM_CREATE_VCPU, 1)).valid());
}

// A child inherits fds and the mapping, and each of them holds the VM.
TEST_F(Lifetime, AForkedChildHoldsTheVm) {
  for (const bool keeps_fds : {true, false}) {
    std::uint32_t id = 0;
    pid_t child = 0;
    {
      Machine machine = named(guest::halt(), "fork", &id);
      ASSERT_EQ(machine.built, 0);
      child = ::fork();
      if (child == 0) {
        if (keeps_fds) {
          machine.cpu.page.unmap();
        } else {
          for (const Part part : {kSystem, kVm, kVcpu}) drop(machine, part);
        }
        ::pause();
        ::_exit(0);
      }
    }
    EXPECT_TRUE(row_of(id)) << (keeps_fds ? "by fds" : "by the mapping");
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    EXPECT_TRUE(eventually([&] { return !row_of(id); }));
  }
}

TEST_F(Lifetime, ExecEndsTheVm) {
  const pid_t child = ::fork();
  if (child == 0) {
    const Machine machine = named(guest::halt(), "exec");
    std::array<const char*, 3> arguments = {"sleep", "100", nullptr};
    if (machine.built == 0) ::execvp("sleep", const_cast<char* const*>(arguments.data()));
    ::_exit(127);
  }
  EXPECT_TRUE(
      eventually([&] { return slurp("/proc/" + std::to_string(child) + "/comm") == "sleep\n"; }));
  EXPECT_TRUE(eventually([] { return table().empty(); }));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

// Killed at any moment of a VM's making and running, a process leaves nothing.
TEST_F(Lifetime, AKilledProcessLeavesNothing) {
  unsigned seed = 20260101;
  for (int turn = 0; turn < 40; ++turn) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (;;) {
        const Machine machine = named(guest::outs(50), "killed");
        if (machine.built == 0) (void)machine.run();
      }
    }
    ::usleep(static_cast<useconds_t>(::rand_r(&seed) % 30000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  EXPECT_TRUE(eventually([] { return table().empty(); }));
  EXPECT_TRUE(entries_of("/proc/2/fd").empty());
}

TEST_F(Lifetime, IdsAreNeverUsedAgain) {
  const Fd system = open_device();
  std::uint32_t last = 0;
  for (int i = 0; i < 5; ++i) {
    std::uint32_t id = 0;
    const Fd vm(create_vm(system, "id", &id));
    ASSERT_TRUE(vm.valid());
    EXPECT_GT(id, last);
    last = id;
  }
}

}  // namespace
