// SPDX-License-Identifier: GPL-2.0-only
//
// No descriptor of raw KVM ever reaches user space: a victim makes VMs and
// vCPUs without end, and everything that can reach into a table of descriptors
// reaches for them meanwhile, from its own threads, from tasks that share its
// table, and from another process with all rights. The same attack on a
// process that uses raw KVM must succeed, or it proves nothing.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <iostream>
#include <thread>

#include "driver.hpp"
#include "kmsg.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// The victim may have so many descriptors: wherever one of raw KVM's stands for
// a moment, in whosever table, it has a number below.
constexpr int kLowFds = 48;
constexpr int kVcpus = 30;
// Descriptors that are made during each way of reaching, at the least.
constexpr long kMakes = 200;

// One way of reaching: tries, what was there to be seen, what was raw.
struct Tally {
  std::atomic<long> tries = 0;
  std::atomic<long> ours = 0;  // VM and vCPU fds of the victim that were caught: it did look
  std::atomic<long> raw = 0;
  std::atomic<long> names = 0;  // links that say kvm, of what could not be had
};

enum Way {
  kThreadIoctl,
  kThreadLinks,
  kTaskLinks,
  kUnshare,
  kSharedTable,
  kRights,
  kGetfd,
  kKernelThreads,
  kProcLinks,
  kWays
};
const char* const kNames[kWays] = {
    "a thread's ioctls",
    "a thread in /proc/self/fd",
    "a thread in /proc/self/task/TID/fd",
    "a thread's unshared copy",
    "a process that shares the table",
    "SCM_RIGHTS of a thread",
    "pidfd_getfd of the victim",
    "pidfd_getfd of kernel threads",
    "another process in /proc/PID/fd",
};

struct Shared {
  std::atomic<bool> stop = false;
  std::atomic<int> way = kWays;  // the attack that the victim's own tasks run now
  std::atomic<long> vms = 0;
  std::atomic<long> vcpus = 0;
  std::atomic<long> failures = 0;
  std::atomic<pid_t> creator = 0;
  Tally tally[kWays];
};

enum class Kind { kNone, kOurs, kRaw };

Kind kind_of_link(const std::string& link) {
  if (link.find("kvm") != std::string::npos) return Kind::kRaw;  // [kvm-vm], [kvm-vcpu:0], /dev/kvm
  return link.find("anon_inode:") == 0 && link.find("vmctl") != std::string::npos ? Kind::kOurs
                                                                                  : Kind::kNone;
}

// What a descriptor of this process is. An O_PATH one is a name, not a file.
Kind kind_of_fd(int fd) {
  const Kind kind = kind_of_link(link_of(fd));
  if (kind == Kind::kRaw && (::fcntl(fd, F_GETFL) & O_PATH) != 0) return Kind::kNone;
  return kind;
}

void count(Tally& tally, Kind kind) {
  if (kind == Kind::kOurs) ++tally.ours;
  if (kind == Kind::kRaw) ++tally.raw;
}

// A name in /proc, and whether the file behind it can be had by opening it.
void try_link(Tally& tally, const std::string& path, bool is_own_table) {
  ++tally.tries;
  const Kind kind = kind_of_link(link_of(path));
  if (kind == Kind::kNone) return;
  if (kind == Kind::kOurs) ++tally.ours;
  if (kind == Kind::kRaw) ++(is_own_table ? tally.raw : tally.names);
  const Fd opened(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (opened.valid()) count(tally, kind_of_fd(opened));
}

// --- the victim -------------------------------------------------------------

void create_for_ever(Shared& shared, const std::string& path) {
  shared.creator = static_cast<pid_t>(::syscall(SYS_gettid));
  const Fd system = open_device(path);
  while (!shared.stop) {
    const Fd vm(ctl(system, KVM_CREATE_VM));
    ++(vm.valid() ? shared.vms : shared.failures);
    for (int i = 0; vm.valid() && i < kVcpus && !shared.stop; ++i) {
      const Fd cpu(ctl(vm, KVM_CREATE_VCPU, i));
      ++(cpu.valid() ? shared.vcpus : shared.failures);
    }
  }
}

// On a raw VM or vCPU this makes a descriptor; vmctl refuses it.
void try_ioctl(Tally& tally, int fd) {
  ++tally.tries;
  const Ret r = ctl(fd, KVM_GET_STATS_FD);
  if (r.ok()) {
    ++tally.raw;
    Fd(r).close();
  } else if (r == -EPERM) {
    ++tally.ours;
  }
}

void scan_own_table(Tally& tally) {
  for (int fd = 0; fd < kLowFds; ++fd) {
    ++tally.tries;
    count(tally, kind_of_fd(fd));
  }
}

// A process of its own memory that shares the victim's table of descriptors.
void scan_shared_table(Shared& shared) {
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
  if (child == 0) {
    for (int turn = 0; turn < 200 && !shared.stop; ++turn)
      scan_own_table(shared.tally[kSharedTable]);
    ::unshare(CLONE_FILES);
    scan_own_table(shared.tally[kSharedTable]);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

void send_all(Shared& shared, int socket) {
  for (int fd = 0; fd < kLowFds && !shared.stop; ++fd) {
    ++shared.tally[kRights].tries;
    if (::fcntl(fd, F_GETFD) >= 0 && fd != socket) pass_fd(socket, fd);
  }
}

void one_turn(Shared& shared, int socket) {
  switch (shared.way) {
    case kThreadIoctl:
      for (int fd = 0; fd < kLowFds; ++fd) try_ioctl(shared.tally[kThreadIoctl], fd);
      break;
    case kThreadLinks:
      for (int fd = 0; fd < kLowFds; ++fd) {
        try_link(shared.tally[kThreadLinks], "/proc/self/fd/" + std::to_string(fd), true);
      }
      break;
    case kTaskLinks:
      for (int fd = 0; fd < kLowFds; ++fd) {
        try_link(shared.tally[kTaskLinks],
                 "/proc/self/task/" + std::to_string(shared.creator) + "/fd/" + std::to_string(fd),
                 false);
      }
      break;
    case kUnshare:
      std::thread([&] {
        ::syscall(SYS_close_range, 1000U, ~0U, 2U);  // CLOSE_RANGE_UNSHARE
        scan_own_table(shared.tally[kUnshare]);
      }).join();
      break;
    case kSharedTable:
      scan_shared_table(shared);
      break;
    case kRights:
      send_all(shared, socket);
      break;
    default:
      std::this_thread::sleep_for(1ms);
  }
}

// The thread that creates is the leader or not: both are tables to look into.
[[noreturn]] void be_victim(Shared& shared, const std::string& path, int socket, bool leader) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit few{kLowFds, kLowFds};
  ::setrlimit(RLIMIT_NOFILE, &few);
  std::thread other([&] {
    if (leader) {
      while (!shared.stop) one_turn(shared, socket);
    } else {
      create_for_ever(shared, path);
    }
  });
  if (leader) {
    create_for_ever(shared, path);
  } else {
    while (!shared.stop) one_turn(shared, socket);
  }
  other.join();
  ::_exit(0);
}

// --- the other process ------------------------------------------------------

void getfd_all(Tally& tally, int pidfd) {
  for (int fd = 0; fd < kLowFds; ++fd) {
    ++tally.tries;
    const Fd caught(Ret::of(::syscall(SYS_pidfd_getfd, pidfd, fd, 0)));
    if (caught.valid()) count(tally, kind_of_fd(caught));
  }
}

class Attack {
 public:
  Attack(const std::string& path, bool leader) {
    std::array<int, 2> pair{};
    ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data());
    here_ = Fd(pair[0]);
    Fd there(pair[1]);
    void* memory =
        ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared_ = new (memory) Shared;  // NOLINT(cppcoreguidelines-owning-memory): unmapped below
    victim_ = ::fork();
    if (victim_ == 0) {
      here_.close();
      be_victim(*shared_, path, there, leader);
    }
    there.close();
    pidfd_ = Fd(Ret::of(::syscall(SYS_pidfd_open, victim_, 0)));
    for (const pid_t kernel : {2, 3, 4}) {
      kernel_.emplace_back(Ret::of(::syscall(SYS_pidfd_open, kernel, 0)));
    }
    receiver_ = std::thread([this] {
      for (Fd fd; (fd = receive_fd(here_)).valid();) {
        count(shared_->tally[kRights], kind_of_fd(fd));
      }
    });
    eventually([&] { return shared_->vcpus > 0; });
  }
  Attack(const Attack&) = delete;
  Attack& operator=(const Attack&) = delete;
  ~Attack() {
    shared_->stop = true;
    ::shutdown(here_, SHUT_RDWR);
    receiver_.join();
    ::waitpid(victim_, nullptr, 0);
    ::munmap(shared_, sizeof *shared_);
  }

  [[nodiscard]] long made() const { return shared_->vms + shared_->vcpus; }

  // Until so many tries are done while so many descriptors were made, or the time is over.
  void run(Way way, long tries, long makes, std::chrono::seconds limit) {
    const auto end = Clock::now() + limit;
    const Tally& tally = shared_->tally[way];
    makes += made();
    shared_->way = way;
    while ((tally.tries < tries || made() < makes) && Clock::now() < end) {
      switch (way) {
        case kGetfd:
          getfd_all(shared_->tally[way], pidfd_);
          break;
        case kKernelThreads:
          for (const Fd& thread : kernel_) getfd_all(shared_->tally[way], thread);
          break;
        case kProcLinks:
          for (int fd = 0; fd < kLowFds; ++fd) {
            try_link(shared_->tally[way],
                     "/proc/" + std::to_string(victim_) + "/fd/" + std::to_string(fd), false);
          }
          break;
        default:
          std::this_thread::sleep_for(5ms);
      }
    }
    shared_->way = kWays;
  }

  [[nodiscard]] const Shared& shared() const { return *shared_; }

 private:
  Fd here_;
  Fd pidfd_;
  std::vector<Fd> kernel_;
  Shared* shared_ = nullptr;
  pid_t victim_ = 0;
  std::thread receiver_;
};

struct Phase {
  long tries;
  Way way;
  bool sees_ours;  // looks into the table that holds our descriptors
};

// Sums to a million.
const Phase kAsThread[] = {
    {300000, kThreadIoctl, true}, {40000, kThreadLinks, true}, {40000, kTaskLinks, true},
    {10000, kUnshare, true},      {20000, kSharedTable, true}, {40000, kRights, true},
};
const Phase kAsLeader[] = {
    {400000, kGetfd, true},
    {100000, kKernelThreads, false},
    {50000, kProcLinks, true},
};

void report(const char* who, const Shared& shared, std::span<const Phase> phases) {
  std::cout << who << ": " << shared.vms << " VMs and " << shared.vcpus << " vCPUs made, "
            << shared.failures << " refused\n";
  for (const Phase& phase : phases) {
    const Tally& tally = shared.tally[phase.way];
    std::cout << "  " << kNames[phase.way] << ": " << tally.tries << " tries, " << tally.ours
              << " of ours seen, " << tally.names << " names, " << tally.raw << " raw\n";
  }
  std::cout.flush();
}

class Escape : public Own {
 protected:
  // The tries that were made.
  static long attack(bool leader, std::span<const Phase> phases) {
    Attack attack(device(), leader);
    for (const Phase& phase : phases) {
      const long before = attack.made();
      attack.run(phase.way, phase.tries, kMakes, 200s);
      EXPECT_GE(attack.made(), before + kMakes) << kNames[phase.way] << ": too slow";
    }
    report(leader ? "the leader creates" : "a thread creates", attack.shared(), phases);
    long tries = 0;
    for (const Phase& phase : phases) {
      const Tally& tally = attack.shared().tally[phase.way];
      tries += tally.tries;
      EXPECT_EQ(tally.raw, 0) << kNames[phase.way];
      EXPECT_GE(tally.tries, phase.tries) << kNames[phase.way] << ": too slow";
      if (phase.sees_ours) EXPECT_GT(tally.ours, 0) << kNames[phase.way] << " saw nothing";
    }
    EXPECT_EQ(attack.shared().failures, 0);
    return tries;
  }
};

bool can_race() {
  return ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

TEST_F(Escape, AMillionTriesCatchNoRawFd) {
  if (!can_race()) GTEST_SKIP() << "one CPU: what is in a call is alone";
  const auto start = Clock::now();
  const long tries = attack(false, kAsThread) + attack(true, kAsLeader);
  const std::chrono::duration<double> took = Clock::now() - start;
  std::cout << tries << " tries in " << took.count() << " s\n";
  EXPECT_GE(tries, 1000000);
  RecordProperty("tries", std::to_string(tries));
}

// The control: on raw KVM each way that looks into the victim's table catches raw fds.
TEST_F(Escape, TheSameAttackCatchesRawFdsOfRawKvm) {
  if (!can_race()) GTEST_SKIP() << "one CPU: what is in a call is alone";
  const Phase as_thread[] = {
      {100000, kThreadIoctl, true}, {10000, kThreadLinks, true}, {5000, kUnshare, true},
      {10000, kSharedTable, true},  {10000, kRights, true},
  };
  const Phase as_leader[] = {{20000, kGetfd, true}};
  complaints_so_far();
  for (const bool leader : {false, true}) {
    const std::span<const Phase> phases = leader ? std::span<const Phase>(as_leader) : as_thread;
    Attack attack("/dev/kvm", leader);
    for (const Phase& phase : phases) attack.run(phase.way, phase.tries, 60, 60s);
    report("raw KVM", attack.shared(), phases);
    for (const Phase& phase : phases) {
      EXPECT_GT(attack.shared().tally[phase.way].raw, 0) << kNames[phase.way];
    }
  }
  forget_complaints();  // of raw KVM about its own folders
}

// Threads that close, replace and copy whatever number a new descriptor gets.
std::string create_in_turmoil() {
  std::atomic<bool> stop = false;
  const Fd null(::fcntl(Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)), F_DUPFD_CLOEXEC, 100));
  const Fd system(::fcntl(open_device(), F_DUPFD_CLOEXEC, 101));
  std::thread replaces([&] {
    while (!stop)
      for (int fd = 3; fd < 20; ++fd) ::dup3(null, fd, O_CLOEXEC);
  });
  // All below the two that are needed: on a busy machine many more stand there than are replaced.
  std::thread closes([&] {
    while (!stop) ::syscall(SYS_close_range, 3U, 99U, 0U);
  });
  long made = 0;
  std::string trouble;
  for (const auto end = Clock::now() + 3s; Clock::now() < end && trouble.empty();) {
    const Ret vm = ctl(system, KVM_CREATE_VM);
    if (!vm.ok()) {
      if (!(vm == -EMFILE)) trouble = "KVM_CREATE_VM: " + std::to_string(vm.value);
      continue;
    }
    const Ret cpu = ctl(static_cast<int>(vm.value), KVM_CREATE_VCPU, 0);
    made += cpu.ok() ? 1 : 0;
    if (!cpu.ok() && !(cpu == -EBADF || cpu == -ENOTTY || cpu == -EEXIST || cpu == -EMFILE))
      trouble = "KVM_CREATE_VCPU: " + std::to_string(cpu.value);
  }
  stop = true;
  replaces.join();
  closes.join();
  std::cout << made << " vCPUs made in the turmoil\n";
  return trouble.empty() && made == 0 ? "none was made" : trouble;
}

TEST_F(Escape, ATableInTurmoilLosesNothing) {
  EXPECT_EQ(in_child(create_in_turmoil, 30), "");
  EXPECT_TRUE(eventually([] { return table().empty(); }));
}

// While a VM stands, nothing of it does in a table that anyone can look into.
TEST_F(Escape, KernelThreadsHoldNothing) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  for (const std::string& name : entries_of("/proc")) {
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!slurp("/proc/" + name + "/cmdline").empty()) continue;  // not a kernel thread
    const std::string folder = "/proc/" + name + "/fd";
    for (const std::string& fd : entries_of(folder)) {
      const std::string link = link_of((folder + "/").append(fd));
      EXPECT_EQ(link.find("kvm"), std::string::npos) << name << " holds " << link;
    }
  }
}

}  // namespace
