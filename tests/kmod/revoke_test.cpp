// SPDX-License-Identifier: GPL-2.0-only
//
// VMCTL_REVOKE_VM: wherever a thread is with the VM, it comes out with ENODEV
// and without a signal, and the rest of the process goes on.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <thread>
#include <vector>

#include "caught_signals.hpp"
#include "commands.hpp"
#include "limits.hpp"
#include "state.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

// All but SIGPIPE; what cannot be caught is not.
std::vector<int> all_signals() {
  std::vector<int> numbers;
  for (int number = 1; number <= SIGRTMAX; ++number) {
    if (number != SIGPIPE) numbers.push_back(number);
  }
  return numbers;
}

// Counts every signal that can be caught.
class Revoke : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    caught_.emplace(all_signals(), SA_RESTART);
  }
  void TearDown() override {
    caught_.reset();
    if (!IsSkipped()) EXPECT_EQ(CaughtSignals::count(), expected_signals_) << "signals came";
    Own::TearDown();
  }
  int expected_signals_ = 0;

 private:
  std::optional<CaughtSignals> caught_;
};

// KVM_RUN in a thread until it fails.
class Runner {
 public:
  explicit Runner(const Vcpu& cpu)
      : thread_([this, &cpu] {
          inside_ = true;
          Ret r = 0;
          while ((r = cpu.enter()).ok()) ++turns_;
          result_ = r;
          done_ = true;
        }) {
    while (!inside_) std::this_thread::yield();
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  // A thread that does not come out is a failure of the test: there is no way on from there.
  ~Runner() {
    if (!eventually([&] { return done_.load(); })) {
      std::cerr << "a vCPU thread did not come out\n";
      std::abort();
    }
    thread_.join();
  }
  bool came_out() {
    return eventually([&] { return done_.load(); });
  }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] Ret result() const { return result_; }
  [[nodiscard]] long turns() const { return turns_; }

 private:
  std::atomic<bool> inside_ = false;
  std::atomic<bool> done_ = false;
  std::atomic<long> turns_ = 0;
  Ret result_ = 0;
  std::thread thread_;
};

void expect_all_dead(const Machine& machine) {
  alignas(8) static std::uint8_t room[16384];
  for (const Command& command : kVmCommands) {
    EXPECT_EQ(ctl(machine.vm, command.number, room), -ENODEV) << command.name;
    EXPECT_EQ(ctl(machine.vm, command.number), -ENODEV) << command.name;
  }
  for (const Command& command : kVcpuCommands) {
    EXPECT_EQ(ctl(machine.cpu.fd, command.number, room), -ENODEV) << command.name;
  }
  EXPECT_EQ(ctl(machine.vm, VMCTL_LOAD_IMAGE, room), -ENODEV);
  const Mapping page(page_size(), PROT_READ, MAP_SHARED, machine.cpu.fd);
  EXPECT_FALSE(page.valid());
  EXPECT_EQ(errno, ENODEV);
}

TEST_F(Revoke, EveryCommandAnswersEnodev) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "revoke", &id);
  ASSERT_EQ(machine.run(), 0);
  ASSERT_EQ(revoke(machine.system, id), 0);
  expect_all_dead(machine);
  EXPECT_EQ(row_of(id)->state, "revoked");
  EXPECT_EQ(row_of(id)->memory, 0U) << "its slots went with it";
  EXPECT_EQ(revoke(machine.system, id), 0) << "once more does nothing";
  expect_all_dead(machine);
  // The process is not harmed.
  const Machine next(guest::add());
  std::string out;
  EXPECT_EQ(next.run(&out), 0);
  EXPECT_EQ(out, "4\n");
}

// What is no command stays no command, and what is refused may be either.
TEST_F(Revoke, UnknownCommandsStayUnknownOrDead) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "revoke", &id);
  ASSERT_EQ(revoke(machine.system, id), 0);
  for (const int fd : {static_cast<int>(machine.vm), static_cast<int>(machine.cpu.fd)}) {
    const Ret r = ctl(fd, _IO(KVMIO, 0xff));
    EXPECT_TRUE(r == -ENODEV || r == -ENOTTY) << r;
    EXPECT_EQ(ctl(fd, KVM_GET_STATS_FD), -ENODEV);
  }
}

TEST_F(Revoke, KvmsVmGoesAlthoughFdsAndMappingsStay) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::outs(5), "revoke", &id);
  ASSERT_EQ(machine.run(), 0);
  EXPECT_EQ(kvm_debug_folders().size(), 1U);
  ASSERT_EQ(revoke(machine.system, id), 0);
  EXPECT_TRUE(eventually([] { return kvm_debug_folders().empty(); }));
  // The run page stays readable and writable.
  machine.cpu.run().request_interrupt_window = 0x5a;
  EXPECT_EQ(machine.cpu.run().request_interrupt_window, 0x5a);
  EXPECT_EQ(machine.cpu.run().exit_reason, unsigned{KVM_EXIT_HLT});
  for (std::size_t page = 0; page < 3; ++page) {
    auto* byte = static_cast<volatile std::uint8_t*>(machine.cpu.page.data()) + page * page_size();
    const std::uint8_t read = *byte;
    *byte = read;
  }
}

// Pages of the run page that were not touched before the revocation.
TEST_F(Revoke, ARunPageFirstTouchedAfterwardsDoesNotHarm) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "revoke", &id);
  const Mapping fresh(3 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, machine.cpu.fd);
  ASSERT_TRUE(fresh.valid());
  ASSERT_EQ(revoke(machine.system, id), 0);
  EXPECT_TRUE(eventually([] { return kvm_debug_folders().empty(); }));
  const std::string said = in_child([&]() -> std::string {
    ::signal(SIGBUS, SIG_DFL);
    for (std::size_t page = 0; page < 3; ++page) fresh.data()[page * page_size()] = 1;
    return "";
  });
  EXPECT_TRUE(said.empty() || said == "child died of signal " + std::to_string(SIGBUS)) << said;
  expected_signals_ = 1;  // SIGCHLD
}

TEST_F(Revoke, AnEndlessLoopEnds) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::loop(), "revoke", &id);
  ASSERT_EQ(machine.built, 0);
  Runner runner(machine.cpu);
  std::this_thread::sleep_for(100ms);
  ASSERT_FALSE(runner.done());
  ASSERT_EQ(revoke(machine.system, id), 0);
  ASSERT_TRUE(runner.came_out());
  EXPECT_EQ(runner.result(), -ENODEV);
}

TEST_F(Revoke, AllVcpusEnd) {
  std::uint32_t id = 0;
  Machine machine = named(guest::loop(), "revoke", &id);
  ASSERT_EQ(machine.built, 0);
  std::vector<Vcpu> cpus;
  for (unsigned i = 1; i < 4; ++i) {
    cpus.emplace_back(machine.vm, i);
    ASSERT_EQ(cpus.back().reset(), 0);
  }
  {
    Runner one(machine.cpu);
    Runner two(cpus[0]);
    Runner three(cpus[1]);
    Runner four(cpus[2]);
    std::this_thread::sleep_for(100ms);
    ASSERT_EQ(revoke(machine.system, id), 0);
    for (Runner* runner : {&one, &two, &three, &four}) {
      ASSERT_TRUE(runner->came_out());
      EXPECT_EQ(runner->result(), -ENODEV);
    }
  }
}

// With KVM's own interrupt controller, hlt waits in the kernel.
TEST_F(Revoke, AHaltedGuestEnds) {
  std::uint32_t id = 0;
  Fd system = open_device();
  Fd vm(create_vm(system, "revoke", &id));
  ASSERT_EQ(ctl(vm, KVM_CREATE_IRQCHIP), 0);
  const Machine machine(std::move(system), std::move(vm), guest::halt());
  ASSERT_EQ(machine.built, 0);
  Runner runner(machine.cpu);
  std::this_thread::sleep_for(100ms);
  ASSERT_FALSE(runner.done()) << "hlt does not come to user space here";
  ASSERT_EQ(revoke(machine.system, id), 0);
  ASSERT_TRUE(runner.came_out());
  EXPECT_EQ(runner.result(), -ENODEV);
}

// A vCPU that waits for its INIT is blocked in KVM_RUN as well.
TEST_F(Revoke, AWaitingVcpuEnds) {
  std::uint32_t id = 0;
  Fd system = open_device();
  Fd vm(create_vm(system, "revoke", &id));
  ASSERT_EQ(ctl(vm, KVM_CREATE_IRQCHIP), 0);
  const Machine machine(std::move(system), std::move(vm), guest::halt());
  const Vcpu second(machine.vm, 1);
  ASSERT_TRUE(second.page.valid());
  std::atomic<bool> done = false;
  std::thread waiting([&] {
    Ret r = -EAGAIN;
    while (r == -EAGAIN) r = second.enter();
    EXPECT_EQ(r, -ENODEV);
    done = true;
  });
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(done);
  ASSERT_EQ(revoke(machine.system, id), 0);
  EXPECT_TRUE(eventually([&] { return done.load(); }));
  waiting.join();
}

TEST_F(Revoke, ThreadsWaitingForTheSameVcpuEnd) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::loop(), "revoke", &id);
  ASSERT_EQ(machine.built, 0);
  Runner first(machine.cpu);
  std::this_thread::sleep_for(50ms);
  Runner second(machine.cpu);
  Runner third(machine.cpu);
  // And one with another command, which waits for the vCPU too: it is in flight, and may end well.
  std::thread other([&] {
    kvm_regs regs{};
    const Ret r = ctl(machine.cpu.fd, KVM_GET_REGS, &regs);
    EXPECT_TRUE(r == -ENODEV || r.ok()) << r;
  });
  std::this_thread::sleep_for(50ms);
  ASSERT_EQ(revoke(machine.system, id), 0);
  for (Runner* runner : {&first, &second, &third}) {
    EXPECT_TRUE(runner->came_out());
    EXPECT_EQ(runner->result(), -ENODEV);
  }
  other.join();
}

// As long as it lives, commands by which a VM of root's could come to run VMs are checked on
// copies.
class Watched {
 public:
  Watched() { EXPECT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_NESTED, 1000), 0); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    const __u64 none[VMCTL_RESOURCES] = {};
    EXPECT_EQ(set_limits(open_device(), VMCTL_SCOPE_USER, 0, 0, none), 0);
  }
};

// Sends its fds to itself, and uses what arrives.
class Passing {
 public:
  explicit Passing(const Machine& machine) : machine_(machine) {
    std::array<int, 2> pair{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
    here_ = Fd(pair[0]);
    there_ = Fd(pair[1]);
  }
  [[nodiscard]] Ret pass() const {
    pass_fd(here_, machine_.vm);
    pass_fd(here_, machine_.cpu.fd);
    const Fd vm = receive_fd(there_);
    const Fd cpu = receive_fd(there_);
    kvm_regs regs{};
    const Ret r = ctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY);
    return r.ok() ? ctl(cpu, KVM_GET_REGS, &regs) : r;
  }

 private:
  const Machine& machine_;
  Fd here_;
  Fd there_;
};

Ret set_cpuid(int cpu, bool with_svm) {
  List<kvm_cpuid2, kvm_cpuid_entry2, 1> cpuid{};
  cpuid->nent = 1;
  cpuid[0].function = 0x80000001;
  cpuid[0].ecx = with_svm ? 4 : 0;
  return ctl(cpu, KVM_SET_CPUID2, cpuid.room);
}

// One thread exits all the time, one asks for registers, one sets slots, one maps, one passes fds
// on, and some give commands that are checked on a copy.
TEST_F(Revoke, UnderFire) {
  const Watched watched;
  for (int turn = 0; turn < 20; ++turn) {
    std::uint32_t id = 0;
    const Machine machine = named(guest::outs_forever(), "fire", &id);
    ASSERT_EQ(machine.built, 0);
    const Mapping more = Mapping::memory(0x1000);
    const Passing passing(machine);
    kvm_sregs sregs{};
    ASSERT_EQ(ctl(machine.cpu.fd, KVM_GET_SREGS, &sregs), 0);
    std::atomic<bool> stop = false;
    std::atomic<bool> revoked = false;
    std::atomic<int> late = 0;  // commands that began after the revocation and did anything
    const auto hammer = [&](auto step) {
      return std::thread([&, step] {
        while (!stop) {
          const bool before = revoked;
          if (!(step() == -ENODEV) && before) ++late;
        }
      });
    };
    std::thread threads[] = {
        hammer([&] { return machine.cpu.enter(); }),
        hammer([&] {
          kvm_regs regs{};
          return ctl(machine.cpu.fd, KVM_GET_REGS, &regs);
        }),
        hammer([&] { return set_slot(machine.vm, 1, 0x100000, 0x1000, more.address()); }),
        hammer([&] { return set_slot(machine.vm, 1, 0, 0, 0); }),
        hammer([&] { return passing.pass(); }),
        // With SVM it is charged, and once it is, its registers are not looked at any more.
        hammer([&] { return set_cpuid(machine.cpu.fd, turn % 2 == 1); }),
        hammer([&] { return ctl(machine.cpu.fd, KVM_SET_SREGS, &sregs); }),
        hammer([&] {
          const Mapping page(page_size(), PROT_READ, MAP_SHARED, machine.cpu.fd);
          return page.valid() ? Ret(0) : Ret(-errno);
        }),
        hammer([&] {
          const Ret r = ctl(machine.vm, KVM_CREATE_VCPU, 1);
          Fd(r).close();
          return r;
        }),
    };
    std::this_thread::sleep_for(std::chrono::milliseconds(turn));
    EXPECT_EQ(revoke(machine.system, id), 0);
    revoked = true;
    std::this_thread::sleep_for(5ms);
    stop = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(late, 0);
    EXPECT_TRUE(eventually(nothing_is_used)) << "although its fds are open";
    expect_all_dead(machine);
  }
}

TEST_F(Revoke, TwoRevokeAtOnce) {
  for (int turn = 0; turn < 10; ++turn) {
    std::uint32_t id = 0;
    const Machine machine = named(guest::loop(), "twice", &id);
    Runner runner(machine.cpu);
    std::thread other([&] { EXPECT_EQ(revoke(machine.system, id), 0); });
    EXPECT_EQ(revoke(machine.system, id), 0);
    EXPECT_EQ(ctl(machine.vm, KVM_CHECK_EXTENSION, 3), -ENODEV);
    other.join();
    EXPECT_TRUE(runner.came_out());
    EXPECT_EQ(runner.result(), -ENODEV);
  }
}

TEST_F(Revoke, UnknownIdsAreNotFound) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "revoke", &id);
  for (const std::uint32_t other : {0U, id - 1, id + 1, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    EXPECT_EQ(revoke(machine.system, other), -ENOENT) << other;
  }
  EXPECT_EQ(machine.run(), 0);
}

TEST_F(Revoke, AnEndedVmIsNotFound) {
  std::uint32_t id = 0;
  Machine machine = named(guest::halt(), "revoke", &id);
  machine = Machine({}, Fd(), guest::halt());
  EXPECT_TRUE(eventually([&] { return revoke(open_device(), id) == -ENOENT; }));
}

// From another process; the VM's own sees ENODEV.
TEST_F(Revoke, AnotherProcessMayWithItsRights) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::loop(), "revoke", &id);
  Runner runner(machine.cpu);
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(revoke(open_device(), id), 0);
              return "";
            }),
            "");
  EXPECT_TRUE(runner.came_out());
  EXPECT_EQ(runner.result(), -ENODEV);
  expected_signals_ = 1;  // SIGCHLD
}

TEST_F(Revoke, AStoppedProcessFindsItsVmGone) {
  const Fd bell(::eventfd(0, EFD_CLOEXEC));
  const pid_t child = ::fork();
  if (child == 0) {
    const Machine machine = named(guest::loop(), "stopped");
    ::eventfd_write(bell, 1);
    Ret r = -EINTR;
    while (r == -EINTR) r = machine.cpu.enter();  // coming back from the stop
    ::_exit(r == -ENODEV && ctl(machine.vm, KVM_CHECK_EXTENSION, 3) == -ENODEV ? 0 : 1);
  }
  eventfd_t rung = 0;
  ::eventfd_read(bell, &rung);
  std::this_thread::sleep_for(50ms);
  ::kill(child, SIGSTOP);
  ASSERT_EQ(::waitpid(child, nullptr, WUNTRACED), child);
  const std::uint32_t id = table().at(0).id;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(revoke(open_device(), id), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s) << "waits for nobody";
  EXPECT_EQ(row_of(id)->state, "revoked");
  ::kill(child, SIGCONT);
  int status = -1;
  EXPECT_TRUE(eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  expected_signals_ = CaughtSignals::count();  // of the child's stops and end
}

// The thread in KVM_RUN is the last to hold the vCPU: it frees it on its way out, before it comes
// to what made it come out. The module stays until then, and no longer.
TEST_F(Revoke, AVcpuThatItsRunnerAloneHolds) {
  const State before = State::at_rest();
  for (int turn = 0; turn < 3; ++turn) {
    std::uint32_t id = 0;
    Machine machine = named(guest::loop(), "held", &id);
    ASSERT_EQ(machine.built, 0);
    std::atomic<long> result = 0;
    const int fd = machine.cpu.fd;
    std::thread runner([&, fd] { result = ctl(fd, KVM_RUN).value; });
    std::this_thread::sleep_for(100ms);
    machine.cpu.fd.close();
    EXPECT_TRUE(machine.cpu.page.unmap());
    EXPECT_EQ(revoke(machine.system, id), 0);
    runner.join();
    EXPECT_EQ(result, -ENODEV);
  }
  EXPECT_TRUE(State::returns_to(before)) << State::now() << "; before: " << before;
}

// A signal that is there as well is not eaten.
TEST_F(Revoke, ASignalOfSomeoneElseStillComes) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::loop(), "revoke", &id);
  Runner runner(machine.cpu);
  std::this_thread::sleep_for(20ms);
  ASSERT_EQ(revoke(machine.system, id), 0);
  ::kill(::getpid(), SIGUSR1);
  EXPECT_TRUE(runner.came_out());
  EXPECT_TRUE(runner.result() == -ENODEV || runner.result() == -EINTR) << runner.result();
  EXPECT_TRUE(eventually([] { return CaughtSignals::count() == 1; }));
  expected_signals_ = 1;
}

// A revoked VM stands in the table until its fds are closed.
TEST_F(Revoke, TheRowGoesWithTheFds) {
  std::uint32_t id = 0;
  {
    const Machine machine = named(guest::halt(), "revoke", &id);
    ASSERT_EQ(revoke(machine.system, id), 0);
    EXPECT_TRUE(row_of(id));
  }
  EXPECT_TRUE(eventually([&] { return !row_of(id); }));
}

}  // namespace
