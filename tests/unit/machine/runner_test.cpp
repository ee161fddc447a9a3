// SPDX-License-Identifier: GPL-2.0
// Whole runs on the host's KVM, where it has one.
#include "machine/runner.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include "kernel/kvm.hpp"

#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace vmctl {
namespace {

using namespace std::chrono_literals;

class RunnerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto node = Node::open(kKvmPath); !node)
      GTEST_SKIP() << "no KVM on this host: " << node.error().text();
    config.device = kKvmPath;
  }
  RunOutcome run(const std::string& guest, const RunOptions& options = {.timeout = 20s}) {
    config.boot.image = std::string(VMCTL_GUEST_DIR) + "/" + guest;
    Outside outside;
    auto machine = Machine::build(config, outside);
    if (!machine) throw std::runtime_error(machine.error().text());
    auto outcome = run_machine(**machine, options, EndSignals());
    if (!outcome) throw std::runtime_error(outcome.error().text());
    return *outcome;
  }
  std::string run_and_capture(const std::string& guest) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(run(guest).end.status, 0);
    return testing::internal::GetCapturedStdout();
  }
  MachineConfig config;
};

TEST_F(RunnerTest, TwoAndTwo) {
  config.registers = {{&kvm_regs::rax, 2}, {&kvm_regs::rbx, 2}};
  EXPECT_EQ(run_and_capture("add.bin"), "4");
  EXPECT_EQ(run_and_capture("add-newline.bin"), "4\n");
}

TEST_F(RunnerTest, AnotherAddressAnotherEntry) {
  config.registers = {{&kvm_regs::rax, 2}, {&kvm_regs::rbx, 2}};
  config.boot.flat = {.at = {{0}}, .entry = {}};
  config.boot.memory = 64 << 10;
  EXPECT_EQ(run_and_capture("add.bin"), "4");
  config.boot.memory = 1 << 20;
  config.boot.flat = {.at = {{0xfffe0}}, .entry = {}};
  EXPECT_EQ(run_and_capture("add.bin"), "4");
  config.boot.flat = {.at = {{0x20000}}, .entry = {{0x20005}}};  // past the port and the addition
  config.registers.push_back({&kvm_regs::rdx, 0x3f8});
  EXPECT_EQ(run_and_capture("add.bin"), "2");
}

TEST_F(RunnerTest, AllOfALargeImageIsLoaded) {
  EXPECT_EQ(run_and_capture("large.bin"), "the last of 712288 bytes are here\n");
}

TEST_F(RunnerTest, AllWidthsAndUnclaimedReads) {
  EXPECT_EQ(run_and_capture("io-widths.bin"), "OK\n");
  config.boot.memory = 64 << 10;
  EXPECT_EQ(run_and_capture("mmio.bin"), "OK\n");
}

TEST_F(RunnerTest, CountsExits) {
  config.cpus = 2;
  const RunOutcome outcome = run("counter-ten.bin");
  EXPECT_EQ(outcome.end.status, 0);
  ASSERT_EQ(outcome.vcpus.size(), 2U);
  for (const RunStats& vcpu : outcome.vcpus) {
    EXPECT_EQ(vcpu.exits[KVM_EXIT_IO], 10U);
    EXPECT_EQ(vcpu.exits[KVM_EXIT_HLT], 1U);
  }
  EXPECT_EQ(outcome.sum.exits[KVM_EXIT_IO], 20U);
}

TEST_F(RunnerTest, DebugExit) {
  config.registers = {{&kvm_regs::rax, 7}};
  EXPECT_EQ(run("debug-exit.bin").end.status, 7);
  config.registers = {{&kvm_regs::rax, 64}};
  EXPECT_EQ(run("debug-exit.bin").end.status, 63);
  config.devices.debug_exit = DebugExitStyle::qemu;
  config.registers = {{&kvm_regs::rax, 1}};
  EXPECT_EQ(run("debug-exit.bin").end.status, 3);
}

TEST_F(RunnerTest, TheTimeoutReachesAGuestThatNeverExits) {
  config.cpus = 2;
  const RunOutcome outcome = run("spin.bin", {.timeout = 100ms});
  EXPECT_EQ(outcome.end.kind, EndKind::timeout);
  EXPECT_EQ(outcome.end.status, 124);
  EXPECT_GE(outcome.elapsed, 100ms);
  EXPECT_LT(outcome.elapsed, 10s);
}

TEST_F(RunnerTest, SignalsEndTheRunAndAreAsBeforeAfterwards) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    // Whoever runs the tests may have had it ignored, as nohup does.
    struct sigaction ended_by {};
    ended_by.sa_handler = SIG_DFL;
    struct sigaction found {};
    ASSERT_EQ(::sigaction(number, &ended_by, &found), 0);
    sigset_t before;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    // The signal must come when run_machine() has blocked it: before that it would end the tests.
    sigset_t blocked = before;
    sigaddset(&blocked, number);
    pthread_sigmask(SIG_SETMASK, &blocked, nullptr);
    ASSERT_EQ(::kill(::getpid(), number), 0);
    const RunOutcome outcome = run("spin.bin");
    EXPECT_EQ(outcome.end.status, 128 + number);
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, &before, &after);
    ASSERT_EQ(::sigaction(number, &found, nullptr), 0);
    EXPECT_EQ(sigismember(&after, number), 1);
    EXPECT_EQ(sigismember(&after, SIGUSR1), 0);
  }
}

TEST_F(RunnerTest, WhatCannotBeExecutedIsAnError) {
  config.boot.memory = 64 << 10;
  const RunOutcome outcome = run("jump-nowhere.bin");
  EXPECT_EQ(outcome.end.status, 81);
  EXPECT_NE(outcome.end.details.find("rip"), std::string::npos);
}

}  // namespace
}  // namespace vmctl
