// SPDX-License-Identifier: GPL-2.0-only
//
// No descriptor of raw KVM ever reaches user space: a victim makes VMs and
// vCPUs without end, and everything that can reach into a table of descriptors
// reaches for them meanwhile, from its own threads, from tasks that share its
// table, and from another process with all rights. The same attack on a
// process that uses raw KVM must succeed, or it proves nothing.
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
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
#include <memory>
#include <random>
#include <thread>

#include "driver.hpp"
#include "kmsg.hpp"
#include "race.hpp"

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
  kFork,
  kSignals,
  kRights,
  kRing,
  kGetfd,
  kKernelThreads,
  kProcLinks,
  kTracer,
  kWays
};
const char* const kNames[kWays] = {
    "a thread's ioctls",
    "a thread in /proc/self/fd",
    "a thread in /proc/self/task/TID/fd",
    "a thread's unshared copy",
    "a process that shares the table",
    "a forked child",
    "a signal handler of the thread that creates",
    "SCM_RIGHTS of a thread",
    "io_uring of a thread",
    "pidfd_getfd of the victim",
    "pidfd_getfd of kernel threads",
    "another process in /proc/PID/fd",
    "a debugger at each entry and exit",
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

// What a signal has interrupted is neither.
Fd counted(std::atomic<long>& good, std::atomic<long>& failures, Ret r) {
  if (r.ok()) {
    ++good;
  } else if (!(r == -EINTR)) {
    ++failures;
  }
  return Fd(r);
}

void create_for_ever(Shared& shared, const std::string& path) {
  shared.creator = static_cast<pid_t>(::syscall(SYS_gettid));
  const Fd system = open_device(path);
  while (!shared.stop) {
    const Fd vm = counted(shared.vms, shared.failures, ctl(system, KVM_CREATE_VM));
    for (int i = 0; vm.valid() && i < kVcpus && !shared.stop; ++i) {
      const Fd cpu = counted(shared.vcpus, shared.failures, ctl(vm, KVM_CREATE_VCPU, i));
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

// A process with a copy of the victim's table, as it stood when it was forked.
void scan_copied_table(Shared& shared) {
  const pid_t child = ::fork();
  if (child == 0) {
    scan_own_table(shared.tally[kFork]);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
}

// Runs in the thread that creates, which never allocates: so it may.
Tally* seen_by_handler = nullptr;
void handle(int /*signal*/) {
  const int error = errno;
  scan_own_table(*seen_by_handler);
  errno = error;
}

// One signal, and then time for the victim to go on, or else it would handle signals alone.
void signal_creator(const Shared& shared) {
  static std::minstd_rand random;
  const Tally& tally = shared.tally[kSignals];
  const long before = tally.tries;
  ::tgkill(::getpid(), shared.creator, SIGUSR1);
  while (tally.tries < before + kLowFds && !shared.stop) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::microseconds(random() % 5000));
}

void send_all(Shared& shared, int socket) {
  for (int fd = 0; fd < kLowFds && !shared.stop; ++fd) {
    ++shared.tally[kRights].tries;
    if (::fcntl(fd, F_GETFD) >= 0 && fd != socket) pass_fd(socket, fd);
  }
}

// Takes files into a table of its own, by number, and has the kernel name them.
class Ring {
 public:
  Ring() {
    io_uring_params parameters{};
    ring_ = Fd(Ret::of(::syscall(SYS_io_uring_setup, 4, &parameters)));
    std::array<int, kLowFds> none{};
    none.fill(-1);
    (void)::syscall(SYS_io_uring_register, static_cast<int>(ring_), IORING_REGISTER_FILES,
                    none.data(), none.size());
  }
  void scan(Tally& tally) const {
    for (int fd = 0; fd < kLowFds; ++fd) {
      ++tally.tries;
      if (fd != ring_) put(fd, fd);
    }
    for (const std::string& line : lines_of(slurp("/proc/self/fdinfo/" + std::to_string(ring_)))) {
      const auto at = line.find(": ");
      if (at == std::string::npos) continue;
      // Older kernels leave out what kind of file it is.
      const std::string name = line.substr(at + 2);
      count(tally, kind_of_link(name.starts_with("vmctl-v") ? "anon_inode:" + name : name));
    }
    for (int fd = 0; fd < kLowFds; ++fd) put(fd, -1);
  }

 private:
  void put(int place, int fd) const {
    io_uring_files_update update{};
    update.offset = static_cast<std::uint32_t>(place);
    update.fds = address_of(&fd);
    (void)::syscall(SYS_io_uring_register, static_cast<int>(ring_), IORING_REGISTER_FILES_UPDATE,
                    &update, 1);
  }
  Fd ring_;
};

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
    case kFork:
      scan_copied_table(shared);
      break;
    case kSignals:
      signal_creator(shared);
      break;
    case kRights:
      send_all(shared, socket);
      break;
    case kRing: {
      static const Ring ring;
      ring.scan(shared.tally[kRing]);
      break;
    }
    default:
      std::this_thread::sleep_for(1ms);
  }
}

// The thread that creates is the leader or not: both are tables to look into.
[[noreturn]] void be_victim(Shared& shared, const std::string& path, int socket, bool leader) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit few{kLowFds, kLowFds};
  ::setrlimit(RLIMIT_NOFILE, &few);
  seen_by_handler = &shared.tally[kSignals];
  struct sigaction handler {};
  handler.sa_handler = handle;
  ::sigaction(SIGUSR1, &handler, nullptr);
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

// Lets a thread go from one entry or exit of a system call to the next, as long as it lives.
class Tracer {
 public:
  explicit Tracer(pid_t thread) : thread_(thread) {
    held_ = ::ptrace(PTRACE_SEIZE, thread_, nullptr, std::uintptr_t{PTRACE_O_TRACESYSGOOD}) == 0 &&
            ::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0 && stops();
  }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;
  ~Tracer() {
    if (held_) ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  }
  // Calls look() while it goes, and when it stands again.
  template <class Look>
  void step(Look look) {
    if (!held_ || ::ptrace(PTRACE_SYSCALL, thread_, nullptr, nullptr) != 0) return;
    look();
    held_ = stops();
    look();
  }

 private:
  [[nodiscard]] bool stops() const {
    int status = 0;
    return ::waitpid(thread_, &status, __WALL) == thread_ && WIFSTOPPED(status);
  }
  pid_t thread_;
  bool held_ = false;
};

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
    std::unique_ptr<Tracer> tracer;
    if (way == kTracer) tracer = std::make_unique<Tracer>(shared_->creator);
    while ((tally.tries < tries || made() < makes) && Clock::now() < end) {
      switch (way) {
        case kGetfd:
          getfd_all(shared_->tally[way], pidfd_);
          break;
        case kKernelThreads:
          for (const Fd& thread : kernel_) getfd_all(shared_->tally[way], thread);
          break;
        case kProcLinks:
          try_links(shared_->tally[way]);
          break;
        case kTracer:
          tracer->step([&] {
            getfd_all(shared_->tally[way], pidfd_);
            try_links(shared_->tally[way]);
          });
          break;
        default:
          std::this_thread::sleep_for(5ms);
      }
    }
    shared_->way = kWays;
  }

  [[nodiscard]] const Shared& shared() const { return *shared_; }

 private:
  void try_links(Tally& tally) const {
    const std::string folder = "/proc/" + std::to_string(victim_) + "/fd/";
    for (int fd = 0; fd < kLowFds; ++fd) try_link(tally, folder + std::to_string(fd), false);
  }

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

// Sums to a million and more.
const Phase kAsThread[] = {
    {300000, kThreadIoctl, true}, {40000, kThreadLinks, true}, {40000, kTaskLinks, true},
    {10000, kUnshare, true},      {20000, kSharedTable, true}, {10000, kFork, true},
    {20000, kSignals, true},      {30000, kRights, true},      {10000, kRing, true},
};
const Phase kAsLeader[] = {
    {400000, kGetfd, true},
    {100000, kKernelThreads, false},
    {50000, kProcLinks, true},
    {50000, kTracer, true},
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

TEST_F(Escape, AMillionTriesCatchNoRawFd) {
  if (!can_race()) GTEST_SKIP() << kAlone;
  const auto start = Clock::now();
  const long tries = attack(false, kAsThread) + attack(true, kAsLeader);
  const std::chrono::duration<double> took = Clock::now() - start;
  std::cout << tries << " tries in " << took.count() << " s\n";
  EXPECT_GE(tries, 1000000);
  RecordProperty("tries", std::to_string(tries));
}

// The control: on raw KVM each way that looks into the victim's table catches raw fds.
TEST_F(Escape, TheSameAttackCatchesRawFdsOfRawKvm) {
  if (!can_race()) GTEST_SKIP() << kAlone;
  const Phase as_thread[] = {
      {100000, kThreadIoctl, true}, {10000, kThreadLinks, true}, {5000, kUnshare, true},
      {10000, kSharedTable, true},  {5000, kFork, true},         {5000, kSignals, true},
      {10000, kRights, true},       {5000, kRing, true},
  };
  const Phase as_leader[] = {{20000, kGetfd, true}, {10000, kTracer, true}};
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
      // Those that are closed are charged until KVM has let go of them.
      if (!(vm == -EMFILE || vm == -EDQUOT)) trouble = "KVM_CREATE_VM: " + std::to_string(vm.value);
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
