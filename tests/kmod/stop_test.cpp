// SPDX-License-Identifier: GPL-2.0-only
//
// SIGSTOP and SIGCONT, the freezer, and a debugger's group stop of a process whose guests count.
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <csignal>

#include "counting.hpp"
#include "state.hpp"

namespace {

using namespace t;

class Stop : public Own {};

bool stops(const Counting& it) {
  int status = 0;
  return ::kill(it.pid(), SIGSTOP) == 0 && ::waitpid(it.pid(), &status, WUNTRACED) == it.pid() &&
         WIFSTOPPED(status);
}

TEST_F(Stop, AGuestStandsStillAndGoesOnWithoutLoss) {
  for (const unsigned vcpus : {1U, 3U}) {
    Counting it(vcpus);
    ASSERT_TRUE(it.runs());
    for (int turn = 0; turn < 10; ++turn) {
      SCOPED_TRACE(turn);
      ASSERT_TRUE(stops(it));
      EXPECT_TRUE(it.stands());
      EXPECT_TRUE(it.is_whole());
      ::kill(it.pid(), SIGCONT);
      ASSERT_TRUE(it.runs());
    }
  }
}

// Faster than a guest can be entered.
TEST_F(Stop, OftenWithoutWaiting) {
  Counting it(2);
  ASSERT_TRUE(it.runs());
  for (int turn = 0; turn < 500; ++turn) {
    ::kill(it.pid(), SIGSTOP);
    ::kill(it.pid(), SIGCONT);
  }
  ASSERT_TRUE(it.runs());
  ASSERT_TRUE(stops(it));
  EXPECT_TRUE(it.is_whole());
}

TEST_F(Stop, AStoppedProcessCanBeKilled) {
  const State before = State::at_rest();
  {
    Counting it(3);
    ASSERT_TRUE(it.runs());
    ASSERT_TRUE(stops(it));
    ::kill(it.pid(), SIGKILL);
    EXPECT_EQ(it.wait(), SIGKILL);
  }
  EXPECT_TRUE(State::returns_to(before)) << State::now();
}

// What a revocation queued for a stopped vCPU thread outlives neither it nor the module.
TEST_F(Stop, AStoppedProcessIsRevokedAndKilled) {
  const State before = State::at_rest();
  {
    Counting it(3);
    ASSERT_TRUE(it.runs());
    ASSERT_TRUE(stops(it));
    ASSERT_EQ(revoke(open_device(), table().at(0).id), 0);
    ::kill(it.pid(), SIGKILL);
    EXPECT_EQ(it.wait(), SIGKILL);
  }
  EXPECT_TRUE(State::returns_to(before)) << State::now();
}

// The freezer takes no signal to do it.
TEST_F(Stop, AFrozenGroupThawsWithoutLoss) {
  const std::string group = "/sys/fs/cgroup/vmctl-frozen";
  if (::mkdir(group.c_str(), 0755) != 0) GTEST_SKIP() << "no cgroups of version 2";
  const auto frozen = [&] {
    return slurp(group + "/cgroup.events").find("frozen 1") != std::string::npos;
  };
  {
    Counting it(2);
    ASSERT_TRUE(it.runs());
    ASSERT_TRUE(spit(group + "/cgroup.procs", std::to_string(it.pid())));
    for (int turn = 0; turn < 5; ++turn) {
      ASSERT_TRUE(spit(group + "/cgroup.freeze", "1"));
      ASSERT_TRUE(eventually(frozen)) << "a guest does not hold the freezer up";
      EXPECT_TRUE(it.stands());
      EXPECT_TRUE(it.is_whole());
      ASSERT_TRUE(spit(group + "/cgroup.freeze", "0"));
      ASSERT_TRUE(it.runs());
    }
    // Frozen, it can be killed all the same.
    ASSERT_TRUE(spit(group + "/cgroup.freeze", "1"));
    ASSERT_TRUE(eventually(frozen));
    ::kill(it.pid(), SIGKILL);
    EXPECT_EQ(it.wait(), SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return ::rmdir(group.c_str()) == 0; }));
}

// Those of the tracee's threads that have something to report.
void let_all_go_on() {
  int status = 0;
  for (pid_t thread = 0; (thread = ::waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
    ::ptrace(PTRACE_CONT, thread, nullptr, 0);
  }
}

// All threads of the tracee report the stop of the group, and listen for its end.
TEST_F(Stop, AGroupStopUnderADebugger) {
  Counting it(3);
  ASSERT_TRUE(it.runs());
  std::vector<pid_t> threads;
  const std::string tasks = "/proc/" + std::to_string(it.pid()) + "/task";
  for (const std::string& name : entries_of(tasks)) {
    // Newer KVMs have a thread of their own in the process.
    if (slurp((tasks + "/").append(name).append("/comm")).starts_with("kvm-")) continue;
    threads.push_back(std::atoi(name.c_str()));
    ASSERT_EQ(Ret::of(::ptrace(PTRACE_SEIZE, threads.back(), nullptr, nullptr)), 0);
  }
  ASSERT_EQ(threads.size(), 3U);
  ::kill(it.pid(), SIGSTOP);
  // The signal itself comes first, to one of them; then each has stopped.
  std::size_t stopped = 0;
  while (stopped < threads.size()) {
    int status = 0;
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    ASSERT_GT(thread, 0);
    ASSERT_TRUE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP) << std::hex << status;
    if (status >> 16 == PTRACE_EVENT_STOP) {
      ++stopped;
      ASSERT_EQ(Ret::of(::ptrace(PTRACE_LISTEN, thread, nullptr, nullptr)), 0);
    } else {
      ASSERT_EQ(Ret::of(::ptrace(PTRACE_CONT, thread, nullptr, SIGSTOP)), 0);
    }
  }
  EXPECT_TRUE(it.stands());
  EXPECT_TRUE(it.is_whole());
  ::kill(it.pid(), SIGCONT);
  // Each of them tells that it is over, one of the signal, too, until nothing stands any more.
  EXPECT_TRUE(eventually([&] {
    let_all_go_on();
    return !it.stands();
  }));
  const std::array stood{it.count(0), it.count(1), it.count(2)};
  EXPECT_TRUE(eventually([&] {
    let_all_go_on();
    return it.count(0) != stood[0] && it.count(1) != stood[1] && it.count(2) != stood[2];
  }));
}

}  // namespace
