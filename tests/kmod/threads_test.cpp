// SPDX-License-Identifier: GPL-2.0-only
//
// The threads that the driver needs of the kernel: many at once, and none to be had.
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <barrier>
#include <csignal>
#include <thread>

#include "reloading.hpp"
#include "traces.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

const std::string kThreadsMax = "/proc/sys/kernel/threads-max";

// While it lives nobody gets a new thread, the kernel itself included.
class NoThreads {
 public:
  NoThreads() : before_(slurp(kThreadsMax)) { set_ = spit(kThreadsMax, "1"); }
  ~NoThreads() { end(); }
  NoThreads(const NoThreads&) = delete;
  NoThreads& operator=(const NoThreads&) = delete;

  [[nodiscard]] bool works() const { return set_; }
  void end() {
    if (set_) spit(kThreadsMax, before_);
    set_ = false;
  }

 private:
  std::string before_;
  bool set_ = false;
};

// A child that is made before threads are short, and acts when it is told to.
class Child {
 public:
  explicit Child(const std::function<int()>& act) : pid_(::fork()) {
    if (pid_ != 0) return;
    eventfd_t rung = 0;
    ::eventfd_read(go_, &rung);
    ::_exit(act());
  }
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void go() const { ::eventfd_write(go_, 1); }
  // Its status if it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (pid_ <= 0 || ::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = 0;
    return status;
  }

 private:
  Fd go_{::eventfd(0, EFD_CLOEXEC)};
  pid_t pid_ = 0;
};

class Threads : public Reloading {};

// Each creation under way has a table of open files of its own: more than are kept.
TEST_F(Threads, ManyCreateAtOnce) {
  constexpr int kThreads = 24;
  const Fd system = open_device();
  std::barrier start(kThreads);
  std::atomic<int> good = 0;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      const Fd vm(ctl(system, KVM_CREATE_VM));
      if (ctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY) == 1) ++good;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, kThreads);
  // Those that are not kept go after a second; the others serve.
  std::this_thread::sleep_for(1500ms);
  EXPECT_TRUE(Fd(ctl(system, KVM_CREATE_VM)).valid());
}

// A module that could not work does not load.
TEST_F(Threads, WithoutAnyItDoesNotLoad) {
  ASSERT_EQ(vmctl().remove_soon(), 0);
  const Traces before = Traces::now();
  {
    const NoThreads none;
    ASSERT_TRUE(none.works());
    EXPECT_EQ(vmctl().insert(), -EAGAIN);
  }
  EXPECT_EQ(Traces::now(), before);
  EXPECT_EQ(vmctl().insert(), 0);
}

// What it has to give back it gives back when it can; unloading waits for that.
TEST_F(Threads, UnloadingWaitsForOne) {
  Child unloader([] { return ::syscall(SYS_delete_module, "vmctl", O_NONBLOCK) == 0 ? 0 : 1; });
  NoThreads none;
  ASSERT_TRUE(none.works());
  unloader.go();
  std::this_thread::sleep_for(300ms);
  EXPECT_FALSE(unloader.ended());
  none.end();
  std::optional<int> status;
  EXPECT_TRUE(eventually([&] { return (status = unloader.ended()).has_value(); }));
  EXPECT_EQ(status, 0);
  EXPECT_NE(::access("/dev/vmctl", F_OK), 0);
}

// Who revokes does not wait, nor does he release KVM's VM himself: a thread does, once there is
// one.
TEST_F(Threads, ARevokedVmIsReleasedWhenThereIsOne) {
  const Fd ready(::eventfd(0, EFD_CLOEXEC));
  Child owner([&] {
    const Machine machine = named(guest::halt(), "owner");
    ::eventfd_write(ready, 1);
    for (;;) ::pause();
    return 0;
  });
  owner.go();
  eventfd_t rung = 0;
  ::eventfd_read(ready, &rung);
  const Fd system = open_device();
  const std::uint32_t id = table().at(0).id;
  NoThreads none;
  ASSERT_TRUE(none.works());
  EXPECT_EQ(revoke(system, id), 0);
  std::this_thread::sleep_for(300ms);
  EXPECT_EQ(row_of(id)->state, "revoked");
  EXPECT_EQ(kvm_debug_folders().size(), 1U);
  none.end();
  EXPECT_TRUE(eventually([] { return kvm_debug_folders().empty(); }));
}

// Who finds no table of open files for himself is told so, and another time it works.
TEST_F(Threads, WithoutAnySomeVcpusAreNotMade) {
  constexpr unsigned kThreads = 8;
  constexpr unsigned kEach = 4;
  ASSERT_EQ(vmctl().remove_soon(), 0);  // and with it the tables that were kept
  ASSERT_EQ(vmctl().insert(), 0);
  const Fd system = open_device();
  std::vector<Fd> vms;
  for (unsigned i = 0; i < kThreads; ++i) vms.emplace_back(ctl(system, KVM_CREATE_VM));
  std::vector<Ret> results(std::size_t{kThreads} * kEach, 0);
  const auto make = [&](unsigned vm, unsigned id) {
    const Ret r = ctl(vms[vm], KVM_CREATE_VCPU, id);
    const Fd cpu(r);
    return r;
  };
  std::barrier start(kThreads + 1);
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (unsigned vm = 0; vm < kThreads; ++vm) {
    threads.emplace_back([&, vm] {
      start.arrive_and_wait();
      for (unsigned id = 0; id < kEach; ++id) results[vm * kEach + id] = make(vm, id);
    });
  }
  {
    const NoThreads none;
    EXPECT_TRUE(none.works());
    start.arrive_and_wait();
    for (std::thread& thread : threads) thread.join();
  }
  unsigned good = 0;
  for (unsigned vm = 0; vm < kThreads; ++vm) {
    for (unsigned id = 0; id < kEach; ++id) {
      const Ret r = results[vm * kEach + id];
      EXPECT_TRUE(r.ok() || r == -EAGAIN) << r;
      good += r.ok() ? 1 : 0;
      if (!r.ok()) EXPECT_TRUE(make(vm, id).ok()) << vm << " " << id;
    }
  }
  EXPECT_GT(good, 0U);
}

}  // namespace
