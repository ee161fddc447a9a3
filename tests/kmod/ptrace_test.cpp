// SPDX-License-Identifier: GPL-2.0-only
//
// A debugger on a process that runs a vCPU: stops it in the guest, steps over KVM_RUN, reads what
// it has mapped, dies.
#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "counting.hpp"
#include "state.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

class Ptrace : public Own {};

Ret trace(int request, pid_t pid, unsigned long data = 0) {
  return Ret::of(::ptrace(static_cast<__ptrace_request>(request), pid, nullptr, data));
}

user_regs_struct registers_of(pid_t pid) {
  user_regs_struct regs{};
  EXPECT_EQ(trace(PTRACE_GETREGS, pid, address_of(&regs)), 0);
  return regs;
}

bool stopped_by(pid_t pid, int signal, int* status = nullptr) {
  int seen = 0;
  if (::waitpid(pid, &seen, __WALL) != pid) return false;
  if (status != nullptr) *status = seen;
  return WIFSTOPPED(seen) && WSTOPSIG(seen) == signal;
}

// Interrupted in KVM_RUN, with its answer: EINTR, or one that an exit had just brought.
void expect_in_run(const user_regs_struct& regs) {
  EXPECT_EQ(regs.orig_rax, static_cast<unsigned long>(SYS_ioctl));
  EXPECT_EQ(regs.rsi, static_cast<unsigned long>(KVM_RUN));
  EXPECT_EQ(Ret(static_cast<long>(regs.rax)), -EINTR);
}

TEST_F(Ptrace, AttachAndDetach) {
  Counting it;
  ASSERT_TRUE(it.runs());
  for (int turn = 0; turn < 10; ++turn) {
    ASSERT_EQ(trace(PTRACE_ATTACH, it.pid()), 0);
    ASSERT_TRUE(stopped_by(it.pid(), SIGSTOP));
    expect_in_run(registers_of(it.pid()));
    EXPECT_TRUE(it.stands());
    EXPECT_TRUE(it.is_whole());
    ASSERT_EQ(trace(PTRACE_DETACH, it.pid()), 0);
    ASSERT_TRUE(it.runs());
  }
}

TEST_F(Ptrace, SeizeAndInterrupt) {
  Counting it;
  ASSERT_TRUE(it.runs());
  ASSERT_EQ(trace(PTRACE_SEIZE, it.pid()), 0);
  EXPECT_TRUE(it.runs()) << "to be seized does not stop it";
  for (int turn = 0; turn < 10; ++turn) {
    ASSERT_EQ(trace(PTRACE_INTERRUPT, it.pid()), 0);
    int status = 0;
    ASSERT_TRUE(stopped_by(it.pid(), SIGTRAP, &status));
    EXPECT_EQ(status >> 16, PTRACE_EVENT_STOP);
    user_regs_struct regs = registers_of(it.pid());
    expect_in_run(regs);
    EXPECT_EQ(trace(PTRACE_SETREGS, it.pid(), address_of(&regs)), 0);
    EXPECT_TRUE(it.stands());
    EXPECT_TRUE(it.is_whole());
    ASSERT_EQ(trace(PTRACE_CONT, it.pid()), 0);
    ASSERT_TRUE(it.runs());
  }
}

// A tracee that exits from its guest all the time.
class Exiting {
 public:
  Exiting() {
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ != 0) return;
    ::alarm(300);
    const Machine machine = named(guest::outs_forever(), "exiting");
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    while (machine.cpu.enter().ok()) {
    }
    ::_exit(1);
  }
  Exiting(const Exiting&) = delete;
  Exiting& operator=(const Exiting&) = delete;
  ~Exiting() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, __WALL);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

TEST_F(Ptrace, SeesEachRunGoInAndComeOut) {
  const Exiting it;
  ASSERT_TRUE(stopped_by(it.pid(), SIGSTOP));
  ASSERT_EQ(trace(PTRACE_SETOPTIONS, it.pid(), PTRACE_O_TRACESYSGOOD), 0);
  int runs = 0;
  for (bool inside = false; runs < 20;) {
    ASSERT_EQ(trace(PTRACE_SYSCALL, it.pid()), 0);
    ASSERT_TRUE(stopped_by(it.pid(), SIGTRAP | 0x80));
    const user_regs_struct regs = registers_of(it.pid());
    if (regs.orig_rax != SYS_ioctl || regs.rsi != KVM_RUN) continue;
    inside = !inside;
    EXPECT_EQ(Ret(static_cast<long>(regs.rax)), inside ? -ENOSYS : 0);
    runs += inside ? 0 : 1;
  }
}

// A step over the instruction that enters the kernel is the whole of KVM_RUN, and the guest does
// not see the trap flag.
TEST_F(Ptrace, StepsOverARun) {
  const Exiting it;
  ASSERT_TRUE(stopped_by(it.pid(), SIGSTOP));
  int runs = 0;
  for (int steps = 0; runs < 3; ++steps) {
    ASSERT_LT(steps, 20000);
    const user_regs_struct before = registers_of(it.pid());
    const long code = ::ptrace(PTRACE_PEEKTEXT, it.pid(), before.rip, nullptr);
    ASSERT_EQ(trace(PTRACE_SINGLESTEP, it.pid()), 0);
    ASSERT_TRUE(stopped_by(it.pid(), SIGTRAP));
    const bool calls = (code & 0xffff) == 0x050f;
    if (!calls || before.rax != SYS_ioctl || before.rsi != KVM_RUN) continue;
    const user_regs_struct after = registers_of(it.pid());
    EXPECT_EQ(after.rip, before.rip + 2);
    EXPECT_EQ(after.rax, 0U);
    ++runs;
  }
}

// The debugger reads and writes the run page as any other memory of the process.
TEST_F(Ptrace, ReadsTheRunPage) {
  if (::process_vm_readv(::getpid(), nullptr, 0, nullptr, 0, 0) < 0 && errno == ENOSYS)
    GTEST_SKIP() << "no process_vm_readv() in this kernel";
  const Machine machine = named(guest::outs_forever(), "read");
  ASSERT_EQ(machine.cpu.enter(), 0);
  ASSERT_EQ(machine.cpu.run().exit_reason, unsigned{KVM_EXIT_IO});
  const pid_t parent = ::getpid();
  EXPECT_EQ(in_child([&]() -> std::string {
              kvm_run copy{};
              const iovec here{.iov_base = &copy, .iov_len = sizeof copy};
              const iovec there{.iov_base = machine.cpu.page.data(), .iov_len = sizeof copy};
              NEED_EQ(::process_vm_readv(parent, &here, 1, &there, 1, 0),
                      static_cast<ssize_t>(sizeof copy));
              NEED_EQ(copy.exit_reason, unsigned{KVM_EXIT_IO});
              NEED_EQ(copy.io.port, guest::kPort);
              copy.immediate_exit = 1;
              NEED_EQ(::process_vm_writev(parent, &here, 1, &there, 1, 0),
                      static_cast<ssize_t>(sizeof copy));
              return "";
            }),
            "");
  EXPECT_EQ(machine.cpu.enter(), -EINTR) << "as the other has written";
}

TEST_F(Ptrace, ATraceeCanBeKilledAndRevoked) {
  const State before = State::at_rest();
  for (const bool revoked : {false, true}) {
    Counting it;
    ASSERT_TRUE(it.runs());
    ASSERT_EQ(trace(PTRACE_SEIZE, it.pid()), 0);
    ASSERT_EQ(trace(PTRACE_INTERRUPT, it.pid()), 0);
    ASSERT_TRUE(stopped_by(it.pid(), SIGTRAP));
    if (revoked) ASSERT_EQ(revoke(open_device(), table().at(0).id), 0);
    ::kill(it.pid(), SIGKILL);
    EXPECT_EQ(it.wait(), SIGKILL);
  }
  EXPECT_TRUE(State::returns_to(before)) << State::now() << "\nshould be " << before;
}

// Revoked while it stands before the debugger, it comes out with ENODEV when that lets it go.
TEST_F(Ptrace, ATraceeFindsItsVmRevoked) {
  Counting it;
  ASSERT_TRUE(it.runs());
  ASSERT_EQ(trace(PTRACE_SEIZE, it.pid()), 0);
  ASSERT_EQ(trace(PTRACE_INTERRUPT, it.pid()), 0);
  ASSERT_TRUE(stopped_by(it.pid(), SIGTRAP));
  ASSERT_EQ(revoke(open_device(), table().at(0).id), 0);
  ASSERT_EQ(trace(PTRACE_DETACH, it.pid()), 0);
  const int status = it.wait();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == Counting::kLeft)
      << status << ": it left its guest";
}

// Whoever traces with PTRACE_O_EXITKILL takes his tracee with him.
TEST_F(Ptrace, ATracerThatDiesTakesItAlong) {
  const State before = State::at_rest();
  for (const bool seized : {true, false}) {
    Counting it(2);
    ASSERT_TRUE(it.runs());
    int ready[2];
    ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    Fd told(ready[0]);
    Fd tell(ready[1]);
    std::fflush(nullptr);
    const pid_t tracer = ::fork();
    if (tracer == 0) {
      const bool held = seized ? trace(PTRACE_SEIZE, it.pid(), PTRACE_O_EXITKILL).ok()
                               : trace(PTRACE_ATTACH, it.pid()).ok() &&
                                     stopped_by(it.pid(), SIGSTOP) &&
                                     trace(PTRACE_SETOPTIONS, it.pid(), PTRACE_O_EXITKILL).ok();
      if (!held || ::write(tell, "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    }
    tell.close();
    char byte = 0;
    EXPECT_EQ(::read(told, &byte, 1), 1) << "the tracer has it";
    ::kill(tracer, SIGKILL);
    ASSERT_EQ(::waitpid(tracer, nullptr, 0), tracer);
    EXPECT_EQ(it.wait(), SIGKILL);
  }
  EXPECT_TRUE(State::returns_to(before)) << State::now() << "\nshould be " << before;
}

// And one that dies without leaves it running.
TEST_F(Ptrace, ATracerThatDiesLeavesItRunning) {
  Counting it(2);
  ASSERT_TRUE(it.runs());
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(trace(PTRACE_ATTACH, it.pid()), 0);
              NEED(stopped_by(it.pid(), SIGSTOP));
              NEED(it.stands() || it.vcpus() > 1);
              NEED_EQ(trace(PTRACE_CONT, it.pid()), 0);
              return "";
            }),
            "");
  EXPECT_TRUE(it.runs());
}

}  // namespace
