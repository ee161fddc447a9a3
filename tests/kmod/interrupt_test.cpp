// SPDX-License-Identifier: GPL-2.0-only
//
// Signals at any moment of the commands that wait: they are done, or have not
// begun, and a process that is killed there leaves nothing.
#include <sys/time.h>
#include <sys/wait.h>

#include <csignal>
#include <iostream>
#include <optional>

#include "caught_signals.hpp"
#include "image.hpp"
#include "state.hpp"

namespace {

using namespace t;

constexpr std::size_t kImage = std::size_t{256} * 4096;

// A VM with memory, a file to load, and the commands under test.
struct Work {
  Fd system = open_device();
  Fd vm{create_vm(system, "work")};
  Mapping memory = Mapping::memory(kImage);
  Fd file = file_of(pattern(kImage));
  Ret slot = set_slot(vm, 0, 0, kImage, memory.address());
  unsigned cpus = 0;

  [[nodiscard]] Ret make_vm() const {
    const Fd made(create_vm(system, "made"));
    return made.valid() ? Ret(0) : Ret(-errno);
  }
  [[nodiscard]] Ret make_vcpu() {
    const Fd made(ctl(vm, KVM_CREATE_VCPU, cpus++));
    return made.valid() ? Ret(0) : Ret(-errno);
  }
  [[nodiscard]] Ret load_image() const { return load(vm, file, 0, kImage, 0); }
};

const struct {
  const char* name;
  Ret (*act)(Work&);
  std::uint64_t vcpus = 0;  // that KVM keeps with the VM, and that are charged until then
} kCommands[] = {
    {"VMCTL_CREATE_VM", [](Work& work) { return work.make_vm(); }},
    {"KVM_CREATE_VCPU", [](Work& work) { return work.make_vcpu(); }, 1},
    {"VMCTL_LOAD_IMAGE", [](Work& work) { return work.load_image(); }},
};

// One signal, so many microseconds from now; 0: none.
void alarm_in(unsigned microseconds) {
  const itimerval once{.it_interval = {0, 0},
                       .it_value = {0, static_cast<suseconds_t>(microseconds)}};
  ::setitimer(ITIMER_REAL, &once, nullptr);
}

class Interrupt : public Own {
  CaughtSignals alarms_{{SIGALRM}};
};

TEST_F(Interrupt, ASignalDoesNotHarm) {
  constexpr unsigned kTurns = 40;
  for (const auto& command : kCommands) {
    const State before = State::now();
    int interrupted = 0;
    for (unsigned turn = 0; turn < kTurns; ++turn) {
      SCOPED_TRACE(command.name + std::string(", turn ") + std::to_string(turn));
      Work work;
      ASSERT_EQ(work.slot, 0);
      ASSERT_EQ(command.act(work), 0);
      State ready = State::now();
      alarm_in(20 + turn * turn * 25);
      const Ret r = command.act(work);
      alarm_in(0);
      ASSERT_TRUE(r.ok() || r == -EINTR) << r;
      interrupted += r.ok() ? 0 : 1;
      if (r.ok()) ready.charged[VMCTL_VCPUS] += command.vcpus;
      ASSERT_TRUE(State::returns_to(ready)) << State::now() << "\nshould be " << ready;
      ASSERT_EQ(command.act(work), 0) << "the next call";
    }
    ASSERT_TRUE(State::returns_to(before)) << State::now();
    std::cout << command.name << ": " << interrupted << " of " << kTurns << " interrupted\n";
  }
}

TEST_F(Interrupt, AKilledCommandLeavesNothing) {
  unsigned seed = 20260301;
  for (const auto& command : kCommands) {
    const State before = State::now();
    for (int turn = 0; turn < 15; ++turn) {
      const pid_t child = ::fork();
      if (child == 0) {
        Work work;
        while (command.act(work).ok()) {
          if (work.cpus > 200) work = Work();
        }
        ::_exit(1);
      }
      ::usleep(static_cast<useconds_t>(5000 + ::rand_r(&seed) % 30000));
      ::kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      EXPECT_TRUE(WIFSIGNALED(status)) << command.name << " failed";
    }
    EXPECT_TRUE(State::returns_to(before)) << command.name << ": " << State::now();
  }
}

}  // namespace
