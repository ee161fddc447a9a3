// SPDX-License-Identifier: GPL-2.0-only
//
// VMCTL_GET_STATS: each return of KVM_RUN is counted once, under its reason.
#include <sys/time.h>

#include <csignal>
#include <numeric>
#include <thread>

#include "caught_signals.hpp"
#include "driver.hpp"

namespace {

using namespace t;

class Stats : public Own {};

std::uint64_t exits_of(const vmctl_stats& s) {
  return std::accumulate(std::begin(s.exits), std::end(s.exits), std::uint64_t{0});
}

// Every counter, with those of other reasons at zero.
void expect_counts(const vmctl_stats& s,
                   std::initializer_list<std::pair<unsigned, std::uint64_t>> counts,
                   std::uint64_t errors = 0) {
  std::uint64_t expected[VMCTL_EXIT_REASONS] = {};
  for (const auto& [reason, count] : counts) expected[reason] = count;
  for (unsigned reason = 0; reason < VMCTL_EXIT_REASONS; ++reason) {
    EXPECT_EQ(s.exits[reason], expected[reason]) << "reason " << reason;
  }
  EXPECT_EQ(s.errors, errors);
  EXPECT_EQ(s.runs, exits_of(s) + errors);
}

TEST_F(Stats, CountExitsByReason) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::outs(37), "stats", &id);
  ASSERT_EQ(machine.run(), 0);
  vmctl_stats s{};
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 37}, {KVM_EXIT_HLT, 1}});
  EXPECT_EQ(s.id, 0U) << "as it came in";
  EXPECT_EQ(s.vcpu, VMCTL_ALL_VCPUS);
  EXPECT_EQ(s.flags, 0U);
  EXPECT_EQ(s.vcpus, 1U);
  EXPECT_EQ(s.run_ns, 0U) << "not asked for";
  EXPECT_EQ(row_of(id)->exits, 38U);
}

TEST_F(Stats, AreTheSameOnAllThreeFds) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::outs(5), "stats", &id);
  ASSERT_EQ(machine.run(), 0);
  const struct {
    int fd;
    std::uint32_t id, vcpu;
  } rows[] = {{machine.system, id, VMCTL_ALL_VCPUS},
              {machine.system, id, 0},
              {machine.vm, 0, VMCTL_ALL_VCPUS},
              {machine.vm, 0, 0},
              {machine.cpu.fd, 0, VMCTL_ALL_VCPUS}};
  for (const auto& row : rows) {
    vmctl_stats s{};
    ASSERT_EQ(stats(row.fd, row.id, row.vcpu, &s), 0);
    expect_counts(s, {{KVM_EXIT_IO, 5}, {KVM_EXIT_HLT, 1}});
    EXPECT_EQ(s.vcpus, 1U);
    EXPECT_EQ(s.id, row.id);
    EXPECT_EQ(s.vcpu, row.vcpu);
  }
}

TEST_F(Stats, EachVcpuHasItsOwnAndAClosedOneStaysInTheSum) {
  const Machine machine = named(guest::outs(3), "stats");
  Vcpu second(machine.vm, 9);
  ASSERT_EQ(second.reset(), 0);
  ASSERT_EQ(machine.run(), 0);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(second.enter(), 0);  // three outs, one hlt
  ASSERT_EQ(second.reset(), 0);
  for (int i = 0; i < 4; ++i) ASSERT_EQ(second.enter(), 0);
  vmctl_stats s{};
  ASSERT_EQ(stats(machine.vm, 0, 0, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 3}, {KVM_EXIT_HLT, 1}});
  ASSERT_EQ(stats(machine.vm, 0, 9, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 6}, {KVM_EXIT_HLT, 2}});
  ASSERT_EQ(stats(second.fd, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 6}, {KVM_EXIT_HLT, 2}});
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 9}, {KVM_EXIT_HLT, 3}});
  EXPECT_EQ(s.vcpus, 2U);
  second = Vcpu();
  EXPECT_TRUE(eventually([&] { return stats(machine.vm, 0, 9, &s) == -ENOENT; }));
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 9}, {KVM_EXIT_HLT, 3}});
  EXPECT_EQ(s.vcpus, 1U);
}

TEST_F(Stats, BadIdsAreRefused) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "stats", &id);
  const struct {
    const char* what;
    int fd;
    std::uint32_t id, vcpu;
    int error;
  } rows[] = {
      {"system fd, VM 0", machine.system, 0, VMCTL_ALL_VCPUS, ENOENT},
      {"system fd, the next VM", machine.system, id + 1, VMCTL_ALL_VCPUS, ENOENT},
      {"system fd, VM -1", machine.system, 0xffffffff, VMCTL_ALL_VCPUS, ENOENT},
      {"system fd, no such vCPU", machine.system, id, 1, ENOENT},
      {"VM fd, no such vCPU", machine.vm, 0, 1, ENOENT},
      {"VM fd, vCPU -2", machine.vm, 0, 0xfffffffe, ENOENT},
      {"VM fd with an id", machine.vm, id, VMCTL_ALL_VCPUS, EINVAL},
      {"vCPU fd with an id", machine.cpu.fd, id, VMCTL_ALL_VCPUS, EINVAL},
      {"vCPU fd with its number", machine.cpu.fd, 0, 0, EINVAL},
      {"vCPU fd with another number", machine.cpu.fd, 0, 1, EINVAL},
  };
  for (const auto& row : rows) {
    vmctl_stats s{};
    EXPECT_EQ(stats(row.fd, row.id, row.vcpu, &s), -row.error) << row.what;
    EXPECT_EQ(s.runs, 0xcccccccccccccccc) << row.what << ": nothing is written";
  }
}

TEST_F(Stats, EintrCountsAsAnExitAndOtherFailuresAsErrors) {
  const Machine machine = named(guest::loop(), "stats");
  ASSERT_EQ(machine.built, 0);
  machine.cpu.run().immediate_exit = 1;
  for (int i = 0; i < 3; ++i) ASSERT_EQ(machine.cpu.enter(), -EINTR);
  machine.cpu.run().immediate_exit = 0;
  for (int i = 0; i < 2; ++i) ASSERT_EQ(ctl(machine.cpu.fd, KVM_RUN, 1), -EINVAL);
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(machine.cpu.enter(), -EIO);
              return "";
            }),
            "");
  vmctl_stats s{};
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_INTR, 3}}, 3);
  EXPECT_EQ(table().at(0).exits, 3U) << "errors are no exits";
}

TEST_F(Stats, ASignalCountsAsIntr) {
  const Machine machine = named(guest::loop(), "stats");
  ASSERT_EQ(machine.built, 0);
  const CaughtSignals alarms({SIGALRM});
  const itimerval soon{.it_interval = {0, 20000}, .it_value = {0, 20000}};
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  EXPECT_EQ(machine.cpu.enter(), -EINTR);
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  vmctl_stats s{};
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_INTR, 1}});
}

TEST_F(Stats, OtherReasonsStandUnderTheirOwnNumber) {
  // Writes where there is no memory; three faults with no interrupt table.
  const Machine mmio = named({0xb8, 0x00, 0xf0, 0x8e, 0xd8,  // mov ax, 0xf000; mov ds, ax
                              0xa2, 0x00, 0x80, 0xf4},       // mov [0x8000], al; hlt
                             "mmio");
  ASSERT_EQ(mmio.run(), 0);
  EXPECT_EQ(mmio.cpu.run().exit_reason, unsigned{KVM_EXIT_MMIO});
  vmctl_stats s{};
  ASSERT_EQ(stats(mmio.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_MMIO, 1}});
  const Machine fault = named(guest::triple_fault(), "fault");
  ASSERT_EQ(fault.run(), 0);
  EXPECT_EQ(fault.cpu.run().exit_reason, unsigned{KVM_EXIT_SHUTDOWN});
  ASSERT_EQ(stats(fault.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_SHUTDOWN, 1}});
}

// The run page is user memory: what a program writes there before is not what is counted.
TEST_F(Stats, AReasonWrittenByTheProgramIsNotCounted) {
  const Machine machine = named(guest::outs(4), "stats");
  for (int i = 0; i < 4; ++i) {
    machine.cpu.run().exit_reason = KVM_EXIT_DEBUG;
    ASSERT_EQ(machine.cpu.enter(), 0);
  }
  machine.cpu.run().exit_reason = 0xffffffff;
  machine.cpu.run().immediate_exit = 1;
  ASSERT_EQ(machine.cpu.enter(), -EINTR);
  vmctl_stats s{};
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 4}, {KVM_EXIT_INTR, 1}});
}

TEST_F(Stats, TimeIsMeasuredWhereAskedFor) {
  const Machine timed = named(guest::outs(200), "timed", nullptr, VMCTL_VM_TIME_RUN);
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_MONOTONIC, &before);
  ASSERT_EQ(timed.run(), 0);
  ::clock_gettime(CLOCK_MONOTONIC, &after);
  const auto wall = static_cast<std::uint64_t>((after.tv_sec - before.tv_sec) * 1000000000LL +
                                               after.tv_nsec - before.tv_nsec);
  vmctl_stats s{};
  ASSERT_EQ(stats(timed.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  EXPECT_EQ(s.flags, unsigned{VMCTL_VM_TIME_RUN});
  EXPECT_GT(s.run_ns, wall / 10) << "nearly all of it was spent there";
  EXPECT_LE(s.run_ns, wall);
  const std::uint64_t first = s.run_ns;
  ASSERT_EQ(timed.cpu.reset(), 0);
  ASSERT_EQ(timed.run(), 0);
  ASSERT_EQ(stats(timed.cpu.fd, 0, VMCTL_ALL_VCPUS, &s), 0);
  EXPECT_GT(s.run_ns, first);
}

TEST_F(Stats, CanBeReadAfterRevocation) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::outs(6), "stats", &id);
  ASSERT_EQ(machine.run(), 0);
  ASSERT_EQ(revoke(machine.system, id), 0);
  EXPECT_EQ(machine.cpu.enter(), -ENODEV);
  for (const auto& [fd, number] :
       {std::pair<int, std::uint32_t>{machine.system, id}, {machine.vm, 0}, {machine.cpu.fd, 0}}) {
    vmctl_stats s{};
    ASSERT_EQ(stats(fd, number, VMCTL_ALL_VCPUS, &s), 0);
    expect_counts(s, {{KVM_EXIT_IO, 6}, {KVM_EXIT_HLT, 1}}, s.errors);
  }
}

// Two threads on one vCPU: KVM lets one at a time in, and no exit is lost.
TEST_F(Stats, NoExitIsLostBetweenThreads) {
  constexpr int kEach = 500;
  const Machine machine = named(guest::outs_forever(), "stats");
  std::thread other([&] {
    for (int i = 0; i < kEach; ++i) EXPECT_EQ(machine.cpu.enter(), 0);
  });
  for (int i = 0; i < kEach; ++i) EXPECT_EQ(machine.cpu.enter(), 0);
  other.join();
  vmctl_stats s{};
  ASSERT_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
  expect_counts(s, {{KVM_EXIT_IO, 2 * kEach}});
}

// A child of the creator may not run the VM, but may read what it did.
TEST_F(Stats, AreReadableFromAChild) {
  const Machine machine = named(guest::outs(2), "stats");
  ASSERT_EQ(machine.run(), 0);
  EXPECT_EQ(in_child([&]() -> std::string {
              vmctl_stats s{};
              NEED_EQ(stats(machine.vm, 0, VMCTL_ALL_VCPUS, &s), 0);
              NEED_EQ(s.exits[KVM_EXIT_IO], 2U);
              return "";
            }),
            "");
}

}  // namespace
