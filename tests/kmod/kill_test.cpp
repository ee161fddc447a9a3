// SPDX-License-Identifier: GPL-2.0-only
//
// Processes with VMs that are killed at random moments, from fork to well inside the guest, many
// at a time, while another process tries to unload the module: all must come back. Some tens of
// them, or a thousand where VMCTL_SOAK is set; VMCTL_TEST_SEED repeats a run.
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <new>
#include <random>
#include <thread>

#include "image.hpp"
#include "kmsg.hpp"
#include "leaks.hpp"
#include "loadable.hpp"
#include "slabs.hpp"
#include "state.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

// What the processes tell about themselves, in memory that all share.
struct Tally {
  std::atomic<long> vms;
  std::atomic<long> vcpus;
  std::atomic<long> commands;  // begun
  std::atomic<long> strangers;
  std::atomic<long> tries;
  std::atomic<long> wrong;  // an answer that must not be, as its errno; 1 for none
  std::atomic<bool> stop;
};

class Shared {
 public:
  Shared() : page_(sizeof(Tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS) {
    new (page_.data()) Tally{};
  }
  Tally* operator->() const { return reinterpret_cast<Tally*>(page_.data()); }
  Tally& operator*() const { return *reinterpret_cast<Tally*>(page_.data()); }

 private:
  Mapping page_;
};

Machine begin(const Bytes& code, Tally& tally, std::uint32_t* id = nullptr) {
  Machine machine = named(code, "killed", id);
  ++tally.vms;
  ++tally.vcpus;
  return machine;
}

void run(const Vcpu& cpu, Tally& tally) {
  ++tally.commands;
  Ret r = 0;
  while ((r = cpu.enter()).ok() || r == -EAGAIN) {
  }
}

void run_threads(Tally& tally) {
  const Machine machine = begin(guest::loop(), tally);
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const Vcpu cpu(machine.vm, i);
      ++tally.vcpus;
      if (cpu.reset().ok()) run(cpu, tally);
    });
  }
  run(machine.cpu, tally);
  ::pause();
}

// What it made goes on in another process.
void send_all(Tally& tally, int mailbox) {
  const Machine machine = begin(guest::loop(), tally);
  for (const int fd : {int{machine.system}, int{machine.vm}, int{machine.cpu.fd}}) {
    pass_fd(mailbox, fd);
  }
  run(machine.cpu, tally);
}

void load_images(Tally& tally) {
  constexpr std::size_t kSize = std::size_t{512} * 4096;
  const BareVm it;
  ++tally.vms;
  const Mapping memory = Mapping::memory(kSize);
  const Fd file = file_of(pattern(kSize));
  if (!set_slot(it.vm, 0, 0, kSize, memory.address()).ok()) return;
  for (;;) {
    ++tally.commands;
    (void)load(it.vm, file, 0, kSize, 0);
  }
}

// One thread in the guest, one that revokes it under its feet.
void revoke_running(Tally& tally) {
  for (;;) {
    std::uint32_t id = 0;
    const Machine machine = begin(guest::loop(), tally, &id);
    std::thread runner([&] { run(machine.cpu, tally); });
    (void)revoke(machine.system, id);
    runner.join();
  }
}

void create_vcpus(Tally& tally) {
  for (;;) {
    const BareVm it;
    ++tally.vms;
    for (unsigned i = 0; i < 50; ++i) {
      ++tally.commands;
      const Vcpu cpu(it.vm, i);
      ++tally.vcpus;
      if (cpu.page.valid()) cpu.run().request_interrupt_window = 0;
    }
  }
}

constexpr unsigned kKinds = 8;

[[noreturn]] void live(unsigned kind, Tally& tally, int mailbox) {
  switch (kind) {
    case 0:
      run(begin(guest::loop(), tally).cpu, tally);
      break;
    case 1:
      run(begin(guest::outs_forever(), tally).cpu, tally);
      break;
    case 2:
      run_threads(tally);
      break;
    case 3:
      send_all(tally, mailbox);
      break;
    case 4:
      for (;;) {
        ++tally.commands;
        (void)begin(guest::halt(), tally);
      }
    case 5:
      load_images(tally);
      break;
    case 6:
      revoke_running(tally);
      break;
    default:
      create_vcpus(tally);
  }
  ::_exit(1);
}

// Gets what others made and holds some of it for a while; it is of no use here.
[[noreturn]] void keep(int mailbox, Tally& tally) {
  std::array<Fd, 7> kept;
  for (std::size_t i = 0;; i = (i + 1) % kept.size()) {
    Fd fd = receive_fd(mailbox);
    if (!fd.valid()) ::_exit(0);
    ++tally.strangers;
    const Ret r = ctl(fd, KVM_RUN);
    if (!(r == -EIO || r == -ENOTTY)) tally.wrong = r.ok() ? 1 : r.value;
    kept[i] = std::move(fd);
  }
}

// Tries to unload what is in use.
[[noreturn]] void try_to_unload(Tally& tally) {
  while (!tally.stop) {
    ++tally.tries;
    const Ret r = vmctl().remove();
    if (!Loadable::busy(r)) tally.wrong = r.ok() ? 1 : r.value;
    std::this_thread::sleep_for(1ms);
  }
  ::_exit(0);
}

template <class Play>
pid_t start(Play play) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) play();
  return child;
}

bool ended_well(pid_t child) {
  int status = -1;
  const bool ended = eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; });
  if (!ended) ::kill(child, SIGKILL);
  return ended && status == 0;
}

unsigned chosen_seed() {
  const char* given = std::getenv("VMCTL_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 0))
                                         : std::random_device()();
  std::cout << "seed: VMCTL_TEST_SEED=" << seed << std::endl;
  return seed;
}

// Several at a time; each time one of them, chosen at random, is killed after a random while.
void storm(int victims, std::minstd_rand& random, Tally& tally, int mailbox) {
  std::array<pid_t, 4> living{};
  for (int killed = 0; killed < victims;) {
    pid_t& victim = living[random() % living.size()];
    if (victim != 0) {
      // From one microsecond to a fifteenth of a second, each order of magnitude as often.
      ::usleep(1U << random() % 17);
      ::kill(victim, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(victim, &status, 0), victim);
      ASSERT_TRUE(WIFSIGNALED(status)) << "it had to go on until killed: " << status;
      if (++killed % 25 == 0) std::cout << killed << " killed" << std::endl;
    }
    victim =
        start([&, kind = static_cast<unsigned>(random() % kKinds)] { live(kind, tally, mailbox); });
    ASSERT_GT(victim, 0);
  }
  for (const pid_t last : living) {
    if (last == 0) continue;
    ::kill(last, SIGKILL);
    ::waitpid(last, nullptr, 0);
  }
}

TEST(Soak, ProcessesAreKilledAtAnyMoment) {
  if (!device_is_vmctl()) GTEST_SKIP() << "vmctl's own: not on " << device();
  if (!vmctl().found()) GTEST_SKIP() << "vmctl.ko is not to be found: set VMCTL_MODULE";
  const int some = finds_leaks() ? 20 : 50;  // that kernel is slow
  const int victims = std::getenv("VMCTL_SOAK") != nullptr ? 1000 : some;
  std::minstd_rand random(chosen_seed());
  (void)begin(guest::halt(), *Shared());  // whatever is made once is made
  const State before = State::at_rest();
  const auto objects = held_objects();
  const Shared tally;
  {
    const Fd held = open_device();
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    Fd in(ends[0]);
    Fd out(ends[1]);
    const pid_t keeper = start([&] {
      in.close();
      keep(out, *tally);
    });
    out.close();
    const pid_t remover = start([&] {
      in.close();
      try_to_unload(*tally);
    });
    storm(victims, random, *tally, in);
    in.close();
    tally->stop = true;
    EXPECT_TRUE(ended_well(keeper));
    EXPECT_TRUE(ended_well(remover));
  }
  std::cout << victims << " processes killed, " << tally->vms << " VMs, " << tally->vcpus
            << " vCPUs, " << tally->commands << " runs and commands begun, " << tally->strangers
            << " descriptors sent, " << tally->tries << " times to be unloaded\n";
  EXPECT_EQ(Ret(tally->wrong), 0) << "to a process that must not, or has to wait";
  EXPECT_GT(tally->vms, victims / 4) << "hardly any came to a VM";
  EXPECT_GT(tally->commands, victims / 4);
  EXPECT_GT(tally->tries, 0);
  EXPECT_TRUE(eventually([&] { return State::now() == before; }))
      << State::now() << "\nshould be " << before;
  EXPECT_TRUE(eventually([&] { return held_objects() == objects; }))
      << ::testing::PrintToString(held_objects()) << "\nshould be "
      << ::testing::PrintToString(objects);
  EXPECT_EQ(vmctl().remove_soon(), 0) << "nothing holds it";
  EXPECT_EQ(vmctl().insert(), 0);
  complaints_so_far();
}

}  // namespace
