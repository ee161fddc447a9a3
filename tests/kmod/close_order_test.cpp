// SPDX-License-Identifier: GPL-2.0-only
//
// Duplicates of a machine's parts in other processes: sent, inherited, kept over exec. The VM
// lives exactly as long as one of them, in whatever order they go.
#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <sstream>

#include "driver.hpp"
#include "parts.hpp"
#include "state.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

constexpr std::array<const char*, 4> kNames = {"system fd", "VM fd", "vCPU fd", "run page"};

int fd_of(const Machine& machine, Part part) {
  return part == kSystem ? machine.system : part == kVm ? machine.vm : machine.cpu.fd;
}

class CloseOrder : public Own {};

// A process that holds one part of somebody's machine, as long as it is told to.
class Keeper {
 public:
  Keeper() {
    std::array<int, 2> ends{};
    ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data());
    ours_ = Fd(ends[0]);
    Fd theirs(ends[1]);
    std::fflush(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ours_.close();
      serve(theirs);
    }
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper() {
    ours_.close();
    ::waitpid(pid_, nullptr, 0);
  }
  [[nodiscard]] bool take(const Machine& machine, Part part) const {
    char which = static_cast<char>(part);
    if (::write(ours_, &which, 1) != 1) return false;
    pass_fd(ours_, fd_of(machine, part));
    return ::read(ours_, &which, 1) == 1 && which == 1;
  }
  [[nodiscard]] bool let_go() const {
    char byte = 0;
    return ::write(ours_, &byte, 1) == 1 && ::read(ours_, &byte, 1) == 1;
  }

 private:
  [[noreturn]] static void serve(int socket) {
    for (char which = 0; ::read(socket, &which, 1) == 1;) {
      Fd fd = receive_fd(socket);
      Mapping page;
      char well = fd.valid() ? 1 : 0;
      if (which == kPage) {
        page = Mapping(3 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
        fd.close();
        well = page.valid() ? 1 : 0;
      }
      if (::write(socket, &well, 1) != 1 || ::read(socket, &which, 1) != 1) break;
      if (page.valid()) page.data()[0] = 1;
      fd.close();
      page.unmap();
      if (::write(socket, &well, 1) != 1) break;
    }
    ::_exit(0);
  }
  Fd ours_;
  pid_t pid_ = -1;
};

TEST_F(CloseOrder, AnyOrderWithADuplicateElsewhere) {
  const Keeper keeper;
  const State before = State::at_rest();
  // All of them only where there is time.
  const unsigned step = std::getenv("VMCTL_SOAK") != nullptr ? 1 : 4;
  std::array<Part, 4> order = kParts;
  unsigned number = 0;
  do {
    for (unsigned i = 0; i < kParts.size(); i += step) {
      const Part lent = kParts[(i + number + number / 4) % 4];
      SCOPED_TRACE(::testing::PrintToString(order) + ", lent: " + kNames[lent]);
      std::uint32_t id = 0;
      Machine machine = named(guest::outs(100), "lent", &id);
      ASSERT_EQ(machine.built, 0);
      ASSERT_TRUE(keeper.take(machine, lent));
      std::array<bool, 4> held = {true, true, true, true};
      for (const Part part : order) {
        drop(machine, part);
        held[part] = false;
        const bool lives = held[kVm] || held[kVcpu] || held[kPage] || lent != kSystem;
        if (lives) {
          EXPECT_TRUE(row_of(id)) << "after " << kNames[part];
        } else {
          EXPECT_TRUE(eventually([&] { return !row_of(id); })) << "after " << kNames[part];
        }
        if (held[kVcpu]) EXPECT_EQ(machine.cpu.enter(), 0);
      }
      EXPECT_NE(slurp("/sys/module/vmctl/refcnt"), "0\n") << "even a system fd holds the module";
      ASSERT_TRUE(keeper.let_go());
      EXPECT_TRUE(eventually([&] { return !row_of(id); })) << "nobody has it any more";
    }
    ++number;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_TRUE(State::returns_to(before)) << State::now();
}

// --- after exec ------------------------------------------------------------

constexpr const char* kInherited = "VMCTL_TEST_INHERITED";

// This program, started again with a VM fd, a vCPU fd and a system fd: the first two are of the
// address space that is no more.
int use_inherited(const char* numbers) {
  std::istringstream in(numbers);
  int system = -1;
  int vm = -1;
  int cpu = -1;
  in >> system >> vm >> cpu;
  if (system >= 0 && ctl(system, KVM_GET_API_VERSION) != 12) return 10;
  if (vm >= 0 && ctl(vm, KVM_CREATE_VCPU, 1) != -EIO) return 11;
  if (vm >= 0 && load(vm, 0, 0, 1, 0) != -EIO) return 12;
  if (cpu >= 0) {
    kvm_regs regs{};
    vmctl_stats counts{};
    if (ctl(cpu, KVM_RUN) != -EIO || ctl(cpu, KVM_GET_REGS, &regs) != -EIO) return 13;
    if (stats(cpu, 0, VMCTL_ALL_VCPUS, &counts) != 0 || counts.exits[KVM_EXIT_IO] != 1) return 14;
    const Mapping page(page_size(), PROT_READ, MAP_SHARED, cpu);
    if (!page.valid()) return 15;
    if (reinterpret_cast<const kvm_run*>(page.data())->exit_reason != KVM_EXIT_IO) return 16;
  }
  char byte = 0;
  const bool told = ::write(STDOUT_FILENO, "x", 1) == 1;
  return told && ::read(STDIN_FILENO, &byte, 1) == 0 ? 0 : 17;
}

[[maybe_unused]] const int played = [] {
  if (const char* numbers = std::getenv(kInherited)) ::_exit(use_inherited(numbers));
  return 0;
}();

// Which of the three are kept: each set of them.
TEST_F(CloseOrder, WhatIsKeptOverExecLivesOnAndIsOfNoUse) {
  const State before = State::at_rest();
  for (unsigned kept = 0; kept < 8; ++kept) {
    SCOPED_TRACE(kept);
    std::array<int, 4> pipes{};
    ASSERT_EQ(::pipe2(pipes.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(pipes.data() + 2, O_CLOEXEC), 0);
    Fd in(pipes[0]);
    Fd tell(pipes[1]);
    Fd told(pipes[2]);
    Fd out(pipes[3]);
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
      const Machine machine = named(guest::outs(3), "exec");
      if (machine.cpu.enter() != 0) ::_exit(1);
      std::string numbers;
      for (const Part part : {kSystem, kVm, kVcpu}) {
        const bool keeps = (kept >> part & 1U) != 0;
        if (keeps) ::fcntl(fd_of(machine, part), F_SETFD, 0);
        numbers += std::to_string(keeps ? fd_of(machine, part) : -1) + " ";
      }
      ::setenv(kInherited, numbers.c_str(), 1);
      ::dup2(in, STDIN_FILENO);
      ::dup2(out, STDOUT_FILENO);
      ::execl("/proc/self/exe", "inherited", nullptr);
      ::_exit(127);
    }
    in.close();
    out.close();
    char byte = 0;
    EXPECT_EQ(::read(told, &byte, 1), 1) << "it has used what it has";
    const bool lives = (kept & (1U << kVm | 1U << kVcpu)) != 0;
    EXPECT_TRUE(eventually([&] { return table().size() == (lives ? 1 : 0); })) << table().size();
    if (lives) EXPECT_EQ(table().at(0).pid, child);
    tell.close();
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0) << status;
    EXPECT_TRUE(eventually([] { return table().empty(); }));
  }
  EXPECT_TRUE(State::returns_to(before)) << State::now();
}

// --- other processes -------------------------------------------------------

// A child has copies of the fds and not of the address space: what is about KVM's objects is EIO
// (fds_test.cpp), what is vmctl's own works.
TEST_F(CloseOrder, AForkedChildMayLookAndRevoke) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::outs(3), "forked", &id);
  ASSERT_EQ(machine.cpu.enter(), 0);
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(ctl(machine.cpu.fd, KVM_RUN), -EIO);
              vmctl_stats counts{};
              NEED_EQ(stats(machine.cpu.fd, 0, VMCTL_ALL_VCPUS, &counts), 0);
              NEED_EQ(counts.exits[KVM_EXIT_IO], 1U);
              const Mapping page(page_size(), PROT_READ, MAP_SHARED, machine.cpu.fd);
              NEED(page.valid());
              NEED_EQ(reinterpret_cast<const kvm_run*>(page.data())->exit_reason,
                      unsigned{KVM_EXIT_IO});
              NEED_EQ(revoke(machine.system, id), 0);
              NEED_EQ(ctl(machine.cpu.fd, KVM_RUN), -ENODEV);
              return "";
            }),
            "");
  EXPECT_EQ(machine.cpu.enter(), -ENODEV) << "it was the parent's as well";
}

// One that shares the address space but nothing else runs the VM as its creator does, and may be
// the last to hold it.
TEST_F(CloseOrder, AProcessWithTheSameMemoryRunsIt) {
  const State before = State::at_rest();
  struct Scene {
    Machine machine;
    Ret result = -1;
    std::uint32_t reason = 0;
    std::array<int, 2> pipe{};
  };
  Scene scene{.machine = named(guest::outs(1), "clone")};
  ASSERT_EQ(scene.machine.built, 0);
  ASSERT_EQ(::pipe2(scene.pipe.data(), O_CLOEXEC), 0);
  std::vector<std::uint8_t> stack(0x40000);
  const auto play = [](void* argument) {
    auto& it = *static_cast<Scene*>(argument);
    it.result = it.machine.cpu.enter();
    it.reason = it.machine.cpu.run().exit_reason;
    char byte = 0;
    return ::syscall(SYS_read, it.pipe[0], &byte, 1) == 1 ? 0 : 1;
  };
  const pid_t child = ::clone(play, stack.data() + stack.size(), CLONE_VM | SIGCHLD, &scene);
  ASSERT_GT(child, 0);
  EXPECT_TRUE(eventually([&] { return scene.reason == KVM_EXIT_IO; }));
  EXPECT_EQ(scene.result, 0);
  // The child's copies of the fds are the last.
  for (const Part part : kParts) drop(scene.machine, part);
  EXPECT_EQ(table().size(), 1U);
  EXPECT_EQ(::write(scene.pipe[1], "x", 1), 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int fd : scene.pipe) ::close(fd);
  EXPECT_TRUE(State::returns_to(before)) << State::now();
}

}  // namespace
