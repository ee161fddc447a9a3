// SPDX-License-Identifier: GPL-2.0-only
//
// Signals at each place where the driver may sleep. Those that a signal ends answer EINTR, with
// SA_RESTART as without; those that only a deadly one ends go on as if there had been none.
//
//   KVM_RUN, in the guest and halted      EINTR
//   KVM_RUN that waits for its turn       when that comes; EINTR then
//   poll(), select() and epoll_wait()     EINTR
//   a load that waits for guest memory    when that comes; EINTR then
//   a load that waits for its file        broken_file_test.cpp
//   KVM_CREATE_VCPU, and what waits       when that comes
//   behind one
//   creations and loads at any moment     interrupt_test.cpp
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/wait.h>

#include <atomic>
#include <csignal>
#include <functional>
#include <thread>

#include "call.hpp"
#include "caught_signals.hpp"
#include "image.hpp"
#include "late_pages.hpp"
#include "state.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

class Wait : public Own, public ::testing::WithParamInterface<int> {
 protected:
  CaughtSignals signals_{{SIGUSR1}, GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Signals, Wait, ::testing::Values(0, SA_RESTART),
                         [](const auto& row) { return row.param == 0 ? "Plain" : "Restarting"; });

Machine halted() {
  Fd system = open_device();
  Fd vm(create_vm(system, "halted"));
  EXPECT_EQ(ctl(vm, KVM_CREATE_IRQCHIP), 0);  // so that hlt waits in the kernel
  return {std::move(system), std::move(vm), guest::halt()};
}

Ret run(const Vcpu& cpu) {
  Ret r = -EAGAIN;
  while (r == -EAGAIN) r = cpu.enter();
  return r;
}

TEST_P(Wait, RunIsEnded) {
  for (const bool halts : {false, true}) {
    SCOPED_TRACE(halts ? "halted" : "in a loop");
    const Machine machine = halts ? halted() : named(guest::loop(), "loop");
    ASSERT_EQ(machine.built, 0);
    for (int turn = 0; turn < 5; ++turn) {
      CaughtSignals::forget();
      const Call call([&] { return run(machine.cpu); });
      std::this_thread::sleep_for(5ms);
      EXPECT_FALSE(call.back());
      EXPECT_TRUE(call.is_ended_by_signals());
      EXPECT_EQ(call.result(), -EINTR);
      EXPECT_EQ(machine.cpu.run().exit_reason, unsigned{KVM_EXIT_INTR});
      EXPECT_GE(CaughtSignals::count(), 1);
    }
    vmctl_stats counts{};
    ASSERT_EQ(stats(machine.cpu.fd, 0, VMCTL_ALL_VCPUS, &counts), 0);
    EXPECT_EQ(counts.exits[KVM_EXIT_INTR], 5U);
    EXPECT_EQ(counts.runs, 5U);
  }
}

TEST_P(Wait, RunThatWaitsForItsTurnGoesOnWaiting) {
  const Machine machine = named(guest::loop(), "turn");
  ASSERT_EQ(machine.built, 0);
  const Call first([&] { return run(machine.cpu); });
  std::this_thread::sleep_for(50ms);
  const Call second([&] { return run(machine.cpu); });
  ASSERT_TRUE(second.sleeps());
  second.signal();
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(second.back()) << "only a deadly signal ends that, as in KVM";
  EXPECT_FALSE(first.back()) << "it was not for this one";
  EXPECT_TRUE(first.is_ended_by_signals());
  EXPECT_EQ(first.result(), -EINTR);
  EXPECT_TRUE(second.is_ended_by_signals());
  EXPECT_EQ(second.result(), -EINTR);
  machine.cpu.run().immediate_exit = 1;
  EXPECT_EQ(machine.cpu.enter(), -EINTR) << "the slot is free";
}

TEST_P(Wait, PollSelectAndEpollAreEnded) {
  const Fd system = open_device();
  char text[64];
  while (::read(system, text, sizeof text) > 0) continue;
  const Fd set(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{.events = EPOLLIN, .data = {}};
  ASSERT_EQ(::epoll_ctl(set, EPOLL_CTL_ADD, system, &event), 0);
  const std::function<Ret()> waits[] = {
      [&] {
        pollfd one{.fd = system, .events = POLLIN, .revents = 0};
        return Ret::of(::poll(&one, 1, -1));
      },
      [&] {
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(system, &readable);
        return Ret::of(::select(system + 1, &readable, nullptr, nullptr, nullptr));
      },
      [&] {
        epoll_event one{};
        return Ret::of(::epoll_wait(set, &one, 1, -1));
      },
  };
  for (const auto& wait : waits) {
    const Call call(wait);
    ASSERT_TRUE(call.sleeps());
    EXPECT_TRUE(call.is_ended_by_signals());
    EXPECT_EQ(call.result(), -EINTR);
  }
  const Fd vm(create_vm(system, "seen"));
  for (const auto& wait : waits) EXPECT_EQ(wait(), 1) << "nothing was lost";
}

TEST_P(Wait, ALoadThatWaitsForMemoryEndsWhenItComes) {
  const LatePages late;
  if (!late.valid()) GTEST_SKIP() << "no userfaultfd";
  const Mapping page = late.page();
  const BareVm it;
  const Mapping before = Mapping::memory(0x2000);
  ASSERT_EQ(set_slot(it.vm, 0, 0, 0x2000, before.address()), 0);
  ASSERT_EQ(set_slot(it.vm, 1, 0x2000, page_size(), page.address()), 0);
  const Fd file = file_of(pattern(0x3000));
  const Call call([&] { return load(it.vm, file, 0, 0x3000, 0); });
  ASSERT_TRUE(late.are_waited_for());
  call.signal();
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(call.back());
  EXPECT_EQ(CaughtSignals::count(), 0);
  late.bring(page);
  EXPECT_TRUE(call.comes_back());
  EXPECT_EQ(call.result(), -EINTR);
  EXPECT_EQ(it.digest(), "-");
  EXPECT_EQ(load(it.vm, file, 0, 0x3000, 0), 0);
}

// KVM_GET_DIRTY_LOG waits for the page of its answer; a creation for it, and a third command for
// the creation.
struct Queue {
  LatePages late;
  Mapping bitmap = late.page();
  BareVm it;
  Mapping memory = Mapping::memory(page_size());
  Ret slot = set_slot(it.vm, 0, 0, page_size(), memory.address(), KVM_MEM_LOG_DIRTY_PAGES);

  [[nodiscard]] Ret log() const {
    kvm_dirty_log log{};
    log.dirty_bitmap = bitmap.data();
    return ctl(it.vm, KVM_GET_DIRTY_LOG, &log);
  }
  [[nodiscard]] Ret create() const {
    const Ret r = ctl(it.vm, KVM_CREATE_VCPU, 0);
    const Fd made(r);
    return r;
  }
  [[nodiscard]] Ret ask() const { return ctl(it.vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY); }
};

TEST_P(Wait, ACreationAndWhatIsBehindItGoOn) {
  const Queue queue;
  if (!queue.late.valid()) GTEST_SKIP() << "no userfaultfd";
  ASSERT_EQ(queue.slot, 0);
  const Call log([&] { return queue.log(); });
  ASSERT_TRUE(queue.late.are_waited_for());
  const Call creation([&] { return queue.create(); });
  ASSERT_TRUE(creation.sleeps());
  const Call question([&] { return queue.ask(); });
  ASSERT_TRUE(question.sleeps());
  creation.signal();
  question.signal();
  std::this_thread::sleep_for(50ms);
  EXPECT_FALSE(creation.back());
  EXPECT_FALSE(question.back());
  EXPECT_EQ(CaughtSignals::count(), 0);
  queue.late.bring(queue.bitmap);
  EXPECT_TRUE(log.comes_back() && creation.comes_back() && question.comes_back());
  EXPECT_EQ(log.result(), 0);
  EXPECT_TRUE(creation.result().ok()) << creation.result();
  EXPECT_EQ(question.result(), 1);
  EXPECT_EQ(CaughtSignals::count(), 2);
}

// A deadly one ends each of them at once, and nothing is left.
TEST_P(Wait, ADeadlySignalEndsAll) {
  if (!LatePages().valid()) GTEST_SKIP() << "no userfaultfd";
  const std::string references = State::at_rest().references;
  int told[2];
  ASSERT_EQ(::pipe2(told, O_CLOEXEC), 0);
  const Fd here(told[0]);
  Fd there(told[1]);
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const Queue queue;
    const Machine machine = named(guest::loop(), "turn");
    const Call log([&] { return queue.log(); });
    if (!queue.late.are_waited_for()) ::_exit(1);
    const Call creation([&] { return queue.create(); });
    const bool first = creation.sleeps();
    const Call question([&] { return queue.ask(); });
    const Call runner([&] { return run(machine.cpu); });
    std::this_thread::sleep_for(20ms);
    const Call other([&] { return run(machine.cpu); });
    if (!first || !question.sleeps() || !other.sleeps()) ::_exit(2);
    if (::write(there, "x", 1) != 1) ::_exit(3);
    for (;;) ::pause();
  }
  there.close();
  char byte = 0;
  EXPECT_EQ(::read(here, &byte, 1), 1);
  EXPECT_EQ(table().size(), 2U);
  ::kill(child, SIGKILL);
  int status = -1;
  EXPECT_TRUE(eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, SIGKILL);
  EXPECT_TRUE(eventually([&] { return slurp("/sys/module/vmctl/refcnt") == references; }));
}

}  // namespace
