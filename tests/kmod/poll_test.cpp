// SPDX-License-Identifier: GPL-2.0-only
//
// poll(): readable when the table has changed since it was last taken.
#include <poll.h>
#include <sys/epoll.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "image.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

short events_of(int fd, int timeout = 0) {
  pollfd one{
      .fd = fd, .events = POLLIN | POLLOUT | POLLPRI | POLLRDNORM | POLLWRNORM, .revents = 0};
  return ::poll(&one, 1, timeout) >= 0 ? one.revents : short{-1};
}
bool readable(int fd) {
  return (events_of(fd) & POLLIN) != 0;
}

class Poll : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (!IsSkipped()) watch_ = open_device();
  }
  void TearDown() override {
    watch_.close();
    Own::TearDown();
  }
  void take() const {
    char text[4096];
    ::lseek(watch_, 0, SEEK_SET);
    while (::read(watch_, text, sizeof text) > 0) {
    }
  }
  // Not readable, then readable once after the change, and not again.
  template <class Change>
  void expect_seen(const char* what, Change change) const {
    take();
    EXPECT_FALSE(readable(watch_)) << "before: " << what;
    change();
    EXPECT_TRUE(eventually([&] { return readable(watch_); })) << what;
    EXPECT_TRUE(readable(watch_)) << "stays so until taken: " << what;
    take();
    EXPECT_FALSE(readable(watch_)) << "after: " << what;
  }
  template <class Change>
  void expect_unseen(const char* what, Change change) const {
    take();
    change();
    EXPECT_FALSE(readable(watch_)) << what;
  }
  Fd watch_;
};

TEST_F(Poll, ANewOpenerHasNotTakenIt) {
  // Nor has it asked for an event.
  EXPECT_EQ(events_of(watch_), POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLPRI);
  take();
  EXPECT_EQ(events_of(watch_), POLLOUT | POLLWRNORM | POLLPRI);
}

TEST_F(Poll, SeesEachChange) {
  Machine machine({}, Fd(), {});
  std::uint32_t id = 0;
  Fd vm;
  const Fd system = open_device();
  const Mapping memory = Mapping::memory(0x2000);
  const Fd file = file_of(pattern(0x100));
  Vcpu cpu;
  expect_seen("a VM created", [&] { vm = Fd(create_vm(system, "poll", &id)); });
  expect_seen("a slot set", [&] { (void)set_slot(vm, 0, 0, 0x2000, memory.address()); });
  expect_seen("an image loaded", [&] { EXPECT_EQ(load(vm, file, 0, 0x100, 0), 0); });
  expect_seen("a vCPU created", [&] { cpu = Vcpu(vm); });
  expect_seen("a slot deleted", [&] { (void)set_slot(vm, 0, 0, 0, 0); });
  expect_seen("a vCPU closed", [&] { cpu = Vcpu(); });
  expect_seen("a VM revoked", [&] { EXPECT_EQ(revoke(system, id), 0); });
  expect_seen("a VM ended", [&] { vm.close(); });
  expect_seen("a VM created without a name", [&] { vm = Fd(ctl(system, KVM_CREATE_VM)); });
  expect_seen("that VM ended", [&] { vm.close(); });
}

TEST_F(Poll, DoesNotSeeWhatDoesNotChangeTheTable) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::outs(10), "poll", &id);
  const Fd file = file_of(pattern(0x100));
  expect_unseen("nothing", [] {});
  expect_unseen("exits", [&] { EXPECT_EQ(machine.run(), 0); });
  expect_unseen("a load that failed",
                [&] { EXPECT_EQ(load(machine.vm, file, 0, 0x101, 0), -ENODATA); });
  expect_unseen("a slot that was refused",
                [&] { EXPECT_EQ(set_slot(machine.vm, 1, 1, 0x1000, 0), -EINVAL); });
  expect_unseen("a vCPU that was refused",
                [&] { EXPECT_EQ(ctl(machine.vm, KVM_CREATE_VCPU, 0), -EEXIST); });
  expect_unseen("an unknown VM revoked",
                [&] { EXPECT_EQ(revoke(machine.system, id + 1), -ENOENT); });
  expect_unseen("another opener", [&] { (void)slurp("/dev/vmctl"); });
  ASSERT_EQ(revoke(machine.system, id), 0);
  expect_unseen("a revoked VM revoked", [&] { EXPECT_EQ(revoke(machine.system, id), 0); });
}

// Each open file has its own view of what is new.
TEST_F(Poll, IsForEachOpenFile) {
  const Fd other = open_device();
  take();
  EXPECT_TRUE(readable(other));
  EXPECT_FALSE(readable(watch_));
  const Machine machine = named(guest::halt(), "poll");
  EXPECT_TRUE(readable(watch_));
  char byte = 0;
  EXPECT_EQ(::read(other, &byte, 1), 1);
  EXPECT_FALSE(readable(other)) << "taken with its first byte";
  EXPECT_TRUE(readable(watch_));
}

TEST_F(Poll, WakesAWaitingThread) {
  take();
  short woken = 0;
  std::atomic<bool> back = false;
  std::thread waiting([&] {
    pollfd one{.fd = watch_, .events = POLLIN, .revents = 0};
    ::poll(&one, 1, 10000);
    woken = one.revents;
    back = true;
  });
  std::this_thread::sleep_for(100ms);
  EXPECT_FALSE(back);
  const auto start = std::chrono::steady_clock::now();
  const Fd system = open_device();
  const Fd vm(create_vm(system, "poll"));
  waiting.join();
  EXPECT_EQ(woken, POLLIN);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
}

TEST_F(Poll, WorksWithEpollInBothModes) {
  for (const std::uint32_t mode : {0U, std::uint32_t{EPOLLET}}) {
    take();
    const Fd set(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN | mode, .data = {}};
    ASSERT_EQ(::epoll_ctl(set, EPOLL_CTL_ADD, watch_, &event), 0);
    EXPECT_EQ(::epoll_wait(set, &event, 1, 0), 0);
    const Fd system = open_device();
    const Fd vm(create_vm(system, "epoll"));
    EXPECT_EQ(::epoll_wait(set, &event, 1, 2000), 1);
    EXPECT_EQ(::epoll_wait(set, &event, 1, 0), mode == 0 ? 1 : 0);
  }
}

// An open file that goes while it is polled.
TEST_F(Poll, MayEndWhileItIsWaitedFor) {
  for (int turn = 0; turn < 50; ++turn) {
    const Fd set(::epoll_create1(EPOLL_CLOEXEC));
    Fd gone = open_device();
    epoll_event event{.events = EPOLLIN, .data = {}};
    ASSERT_EQ(::epoll_ctl(set, EPOLL_CTL_ADD, gone, &event), 0);
    gone.close();
    EXPECT_EQ(::epoll_wait(set, &event, 1, 0), 0);
  }
}

}  // namespace
