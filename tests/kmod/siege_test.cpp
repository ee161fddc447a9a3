// SPDX-License-Identifier: GPL-2.0-only
//
// Users who do all they can to hold the driver, and through it others, up:
// pages that never come, cgroups that forbid, descriptors without number.
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <list>
#include <thread>

#include "late_pages.hpp"
#include "limits.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

class Siege : public Limits {};

constexpr unsigned kSeconds = 120;

// More threads that cannot come out of KVM_RUN than a workqueue has workers.
std::string besiege_revocation() {
  constexpr int kStuck = 264;
  const rlimit many{8192, 8192};
  NEED(::setrlimit(RLIMIT_NOFILE, &many) == 0);
  static std::list<Vcpu> cpus;  // for ever: their threads do not end
  static std::list<Mapping> pages;
  const LatePages never;
  const Fd system = open_device();
  std::vector<std::uint32_t> ids(kStuck);
  for (std::uint32_t& id : ids) {
    const Ret vm = create_vm(system, "stuck", &id);
    NEED(vm.ok());
    const int fd = static_cast<int>(vm.value);
    Mapping page = never.page();
    NEED(page.valid());
    NEED_EQ(set_slot(fd, 0, 0x1000, page_size(), page.address()), 0);
    pages.push_back(std::move(page));
    Vcpu& cpu = cpus.emplace_back(fd);
    NEED_EQ(cpu.reset(), 0);
    std::thread([&cpu] { (void)cpu.enter(); }).detach();
  }
  for (const std::uint32_t id : ids) NEED_EQ(revoke(system, id), 0);

  std::uint32_t id = 0;
  const Machine victim = named(guest::loop(), "victim", &id);
  NEED_EQ(victim.built, 0);
  std::atomic<bool> out = false;
  Ret result = 0;
  std::thread runner([&] {
    result = victim.cpu.enter();
    out = true;
  });
  runner.detach();
  std::this_thread::sleep_for(500ms);
  NEED(!out);
  NEED_EQ(revoke(system, id), 0);
  NEED(eventually([&] { return out.load(); }));
  NEED_EQ(result, -ENODEV);
  return "";
}

TEST_F(Siege, StuckVcpusHoldNoOthersRevocationUp) {
  if (!LatePages().valid()) GTEST_SKIP() << "no userfaultfd";
  lift();
  EXPECT_EQ(in_child(besiege_revocation, kSeconds), "");
}

// KVM_CREATE_VCPU waits for locks that other commands hold while they wait for a page. Others
// who look at the process must not have to wait with it.
std::string besiege_proc() {
  const LatePages never;
  const Fd system = open_device();
  const Fd vm(create_vm(system, "slow"));
  const Mapping memory = Mapping::memory(page_size());
  const Mapping bitmap = never.page();
  NEED(bitmap.valid());
  NEED_EQ(set_slot(vm, 0, 0, page_size(), memory.address(), KVM_MEM_LOG_DIRTY_PAGES), 0);

  std::thread([&] {
    kvm_dirty_log log{};
    log.dirty_bitmap = bitmap.data();
    (void)ctl(vm, KVM_GET_DIRTY_LOG, &log);
  }).detach();
  std::this_thread::sleep_for(300ms);
  std::thread([&] { (void)ctl(vm, KVM_CREATE_IRQCHIP); }).detach();
  std::this_thread::sleep_for(300ms);
  std::thread([&] { (void)ctl(vm, KVM_CREATE_VCPU, 0); }).detach();
  std::this_thread::sleep_for(300ms);

  const std::string path = "/proc/" + std::to_string(::getpid()) + "/io";
  const pid_t reader = ::fork();
  if (reader == 0) ::_exit(slurp(path).empty() ? 1 : 0);
  int status = -1;
  const bool read = eventually([&] { return ::waitpid(reader, &status, WNOHANG) == reader; });
  if (!read) ::kill(reader, SIGKILL);
  NEED(read);
  NEED_EQ(status, 0);
  // All threads that wait hold what is on this stack: end at once, by the hand of the kernel.
  ::_exit(0);
}

TEST_F(Siege, AWaitingCreationHoldsNoReaderOfProcUp) {
  if (!LatePages().valid()) GTEST_SKIP() << "no userfaultfd";
  if (slurp("/proc/self/io").empty()) GTEST_SKIP() << "no accounting of I/O";
  EXPECT_EQ(in_child(besiege_proc, kSeconds), "");
}

// Who may open /dev/vmctl need not be allowed /dev/kvm, by his cgroup either.
TEST_F(Siege, ADeviceCgroupOfTheCallerDoesNotMatter) {
  if (slurp("/proc/cgroups").find("\ndevices\t") == std::string::npos)
    GTEST_SKIP() << "no device cgroup of version 1";
  std::string folder = "/tmp/vmctl-devices-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  if (::mount("none", folder.c_str(), "cgroup", 0, "devices") != 0) {
    ::rmdir(folder.c_str());
    GTEST_SKIP() << "no device cgroup of version 1";
  }
  const std::string group = folder + "/closed";
  EXPECT_EQ(::mkdir(group.c_str(), 0755), 0);
  EXPECT_TRUE(spit(group + "/devices.deny", "c 10:232 rwm"));
  EXPECT_EQ(in_child([&] {
              NEED(spit(group + "/tasks", std::to_string(::getpid())));
              NEED_EQ(Ret::of(::open("/dev/kvm", O_RDWR)), -EPERM);
              const Fd system = open_device();
              const Fd vm(ctl(system, KVM_CREATE_VM, 0));
              NEED(vm.valid());
              return std::string();
            }),
            "");
  EXPECT_TRUE(eventually([&] { return ::rmdir(group.c_str()) == 0; }));
  EXPECT_EQ(::umount(folder.c_str()), 0);
  ::rmdir(folder.c_str());
}

// An edge-triggered waiter wakes for its own user's changes alone, so that it cannot count those
// of others.
TEST_F(Siege, EdgesDoNotTellOfOthers) {
  constexpr uid_t kNobody = 65534;
  const bool opened = ::chmod(device().c_str(), 0666) == 0;
  ASSERT_TRUE(opened);
  int ready[2];
  int made[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(made), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresgid(kNobody, kNobody, kNobody) != 0) ::_exit(1);
    if (::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(1);
    const Fd system = open_device();
    const Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {}};
    if (::epoll_ctl(epoll, EPOLL_CTL_ADD, system, &event) != 0) ::_exit(2);
    while (::epoll_wait(epoll, &event, 1, 0) > 0) continue;
    char byte = 0;
    if (::write(ready[1], &byte, 1) != 1 || ::read(made[0], &byte, 1) != 1) ::_exit(3);
    if (::epoll_wait(epoll, &event, 1, 200) != 0) ::_exit(4);
    const Fd vm(create_vm(system, "mine"));
    ::_exit(::epoll_wait(epoll, &event, 1, 2000) == 1 ? 0 : 5);
  }
  char byte = 0;
  EXPECT_EQ(::read(ready[0], &byte, 1), 1);
  {
    const Fd system = open_device();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(Fd(create_vm(system, "roots")).valid());
  }
  EXPECT_EQ(::write(made[1], &byte, 1), 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  for (const int fd : {ready[0], ready[1], made[0], made[1]}) ::close(fd);
  ::chmod(device().c_str(), 0660);
}

// KVM names a VM's folder after thread and descriptor, and its table of descriptors grows with
// the largest: the caller's own number, which he can make as large as he likes, is not used.
TEST_F(Siege, ALargeDescriptorDoesNotReachKvm) {
  constexpr int kLarge = 100000;
  EXPECT_EQ(in_child([] {
              const rlimit many{2UL * kLarge, 2UL * kLarge};
              NEED(::setrlimit(RLIMIT_NOFILE, &many) == 0);
              const Fd system = open_device();
              // Fills the table up to there: the next descriptor is larger.
              while (true) {
                const int fd = ::dup(system);
                NEED(fd >= 0);
                if (fd >= kLarge) break;
              }
              const Fd vm(create_vm(system, "large"));
              NEED(vm > kLarge);
              const std::vector<std::string> folders = kvm_debug_folders();
              NEED_EQ(folders.size(), 1U);
              const std::string& folder = folders.front();
              NEED(std::atoi(folder.substr(folder.find('-') + 1).c_str()) < 4096);
              return std::string();
            }),
            "");
}

}  // namespace
