// SPDX-License-Identifier: GPL-2.0-only
//
// Events: what is told, to whom, and in which order.
#include <poll.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "kmsg.hpp"
#include "limits.hpp"

namespace {

using namespace t;

std::vector<vmctl_event> events_of(int system) {
  std::vector<vmctl_event> events;
  vmctl_event event{};
  while (ctl(system, VMCTL_GET_EVENT, &event).ok()) events.push_back(event);
  return events;
}

bool has_event(int system) {
  pollfd polled{.fd = system, .events = POLLPRI, .revents = 0};
  return ::poll(&polled, 1, 0) == 1 && (polled.revents & POLLPRI) != 0;
}

class Events : public Limits {
 protected:
  // Events have the pace of the log's lines.
  static void SetUpTestSuite() { wait_for_room_in_the_log(); }
  void SetUp() override {
    Limits::SetUp();
    if (IsSkipped()) return;
    system_ = open_device();
    (void)events_of(system_);
  }
  void TearDown() override {
    system_.close();
    Limits::TearDown();
  }
  Fd system_;
};

TEST_F(Events, TellTheLifeOfAVm) {
  const Fd system = open_device();
  std::uint32_t id = 0;
  timespec begin{};
  ::clock_gettime(CLOCK_REALTIME, &begin);
  {
    const Fd vm(create_vm(system, "a \"b\"\n", &id));
    kvm_create_device device{};
    EXPECT_EQ(ctl(vm, KVM_CREATE_DEVICE, &device), -EPERM);
    EXPECT_EQ(revoke(system, id), 0);
    EXPECT_EQ(revoke(system, id), 0) << "no event of its own";
  }
  ASSERT_TRUE(eventually([&] { return !row_of(id); }));
  const auto events = events_of(system_);
  ASSERT_EQ(events.size(), 4U);
  const std::uint32_t kinds[] = {VMCTL_EVENT_CREATED, VMCTL_EVENT_REFUSED, VMCTL_EVENT_REVOKED,
                                 VMCTL_EVENT_ENDED};
  for (std::size_t i = 0; i < events.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(events[i].kind, kinds[i]);
    EXPECT_EQ(events[i].seq, events[0].seq + i);
    EXPECT_EQ(events[i].vm, id);
    EXPECT_EQ(events[i].uid, 0U);
    EXPECT_EQ(events[i].by_uid, 0U);
    EXPECT_EQ(events[i].pid, ::getpid());
    EXPECT_EQ(events[i].missed, 0U);
    EXPECT_GE(events[i].time_ns / 1'000'000'000, static_cast<std::uint64_t>(begin.tv_sec));
    if (i > 0) EXPECT_GE(events[i].time_ns, events[i - 1].time_ns);
    EXPECT_STREQ(events[i].name, i == 1 ? "KVM_CREATE_DEVICE" : "a \"b\"\n");
    EXPECT_EQ(events[i].cmd, i == 1 ? std::uint32_t{KVM_CREATE_DEVICE} : 0U);
  }
}

TEST_F(Events, TellOfLimits) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_MEMORY, 4 * page_size()), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_TOTAL, 0, VMCTL_VCPUS, 0), 0);
  const Fd system = open_device();
  const Fd vm(create_vm(system, "small"));
  EXPECT_EQ(set_slot(vm, 0, 0, 5 * page_size(), 0x10000000), -EDQUOT);
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 0), -EDQUOT);
  const auto events = events_of(system_);
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(events[1].kind, std::uint32_t{VMCTL_EVENT_LIMIT});
  EXPECT_EQ(events[1].resource, std::uint32_t{VMCTL_MEMORY});
  EXPECT_EQ(events[1].scope, std::uint32_t{VMCTL_SCOPE_USER});
  EXPECT_EQ(events[1].limit, 4 * page_size());
  EXPECT_EQ(events[1].used, 0U);
  EXPECT_EQ(events[1].wanted, 5 * page_size());
  EXPECT_EQ(events[1].payer, 0U);
  EXPECT_EQ(events[2].resource, std::uint32_t{VMCTL_VCPUS});
  EXPECT_EQ(events[2].scope, std::uint32_t{VMCTL_SCOPE_TOTAL});
}

TEST_F(Events, ArePolledFor) {
  EXPECT_FALSE(has_event(system_));
  vmctl_event event{};
  EXPECT_EQ(ctl(system_, VMCTL_GET_EVENT, &event), -EAGAIN);
  std::atomic<bool> woken = false;
  std::thread waiting([&] {
    pollfd polled{.fd = system_, .events = POLLPRI, .revents = 0};
    ::poll(&polled, 1, 20000);
    woken = (polled.revents & POLLPRI) != 0;
  });
  const Fd vm(create_vm(open_device(), "polled"));
  waiting.join();
  EXPECT_TRUE(woken);
  EXPECT_TRUE(has_event(system_));
  EXPECT_EQ(events_of(system_).size(), 1U);
  EXPECT_FALSE(has_event(system_));
}

// Each open file has its own place, and begins with what is kept.
TEST_F(Events, AreForEachOpenFile) {
  const Fd vm(create_vm(open_device(), "two"));
  const Fd late = open_device();
  EXPECT_TRUE(has_event(late));
  const auto all = events_of(late);
  ASSERT_FALSE(all.empty());
  EXPECT_STREQ(all.back().name, "two");
  const auto one = events_of(system_);
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].seq, all.back().seq);
}

TEST_F(Events, OfOthersAreNotSeen) {
  const Fd theirs(create_vm(open_device(), "roots"));
  EXPECT_EQ(in_child([]() -> std::string {
              NEED_EQ(become(kUser), kDone);
              const Fd system = open_device();
              for (const vmctl_event& event : events_of(system)) NEED_EQ(event.uid, kUser);
              NEED(!has_event(system));
              const Fd vm(create_vm(system, "mine"));
              NEED(has_event(system));
              const auto own = events_of(system);
              NEED_EQ(own.size(), 1U);
              NEED_EQ(own[0].uid, kUser);
              NEED_EQ(own[0].seq, 0U);  // gaps would tell of others
              NEED_EQ(std::string(own[0].name), "mine");
              return "";
            }),
            "");
  // Root saw both, and the end.
  ASSERT_TRUE(eventually([] { return table().size() == 1; }));
  const auto all = events_of(system_);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].uid, 0U);
  EXPECT_EQ(all[1].uid, kUser);
  EXPECT_EQ(all[2].uid, kUser);
  EXPECT_EQ(all[2].kind, std::uint32_t{VMCTL_EVENT_ENDED});
}

// Who ends another's VM: the owner is told, and by whom.
TEST_F(Events, TellWhoRevoked) {
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    std::string trouble = become(kUser);
    const Fd system = open_device();
    const Fd vm(create_vm(system, "victim"));
    (void)events_of(system);
    if (::write(told[1], "x", 1) != 1) trouble = "pipe";
    pollfd polled{.fd = system, .events = POLLPRI, .revents = 0};
    ::poll(&polled, 1, 20000);
    vmctl_event event{};
    const bool ok = trouble.empty() && ctl(system, VMCTL_GET_EVENT, &event).ok() &&
                    event.kind == VMCTL_EVENT_REVOKED && event.uid == kUser && event.by_uid == 0 &&
                    event.pid == ::getppid();
    ::_exit(ok ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(told[0], &byte, 1), 1);
  const auto rows = table();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(revoke(system_, rows[0].id), 0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(told[0]);
  ::close(told[1]);
}

// Thousands in a moment push nobody else's out; how many were left out is told.
TEST_F(Events, ThatComeTooFastAreCounted) {
  const Fd first(create_vm(open_device(), "first"));
  constexpr unsigned kTries = 5000;
  EXPECT_EQ(in_child([]() -> std::string {
              NEED_EQ(become(kUser), kDone);
              const Fd vm(create_vm(open_device(), "noisy"));
              kvm_create_device device{};
              for (unsigned i = 0; i < kTries; ++i)
                NEED_EQ(ctl(vm, KVM_CREATE_DEVICE, &device), -EPERM);
              return "";
            }),
            "");
  const auto events = events_of(system_);
  ASSERT_FALSE(events.empty());
  EXPECT_STREQ(events[0].name, "first");
  EXPECT_LT(events.size(), kTries / 2);
  // By and by others of this user come through again, and tell.
  std::uint64_t told = 0;
  const auto noisy = [&](const std::vector<vmctl_event>& some) {
    std::uint64_t sum = 0;
    for (const vmctl_event& event : some)
      if (event.uid == kUser) sum += 1 + event.missed;
    return sum;
  };
  told = noisy(events);
  EXPECT_TRUE(eventually([&] {
    (void)in_child([]() -> std::string {
      NEED_EQ(become(kUser), kDone);
      const Fd vm(create_vm(open_device(), "later"));
      return "";
    });
    told += noisy(events_of(system_));
    return told >= kTries + 2;
  }));
}

// The ring goes round: the newest stay, in order, and the gap can be seen.
TEST_F(Events, OldestGiveWay) {
  constexpr std::uint64_t kKept = 2048;
  const Fd slow = open_device();
  (void)events_of(slow);
  std::uint64_t counted = 0;
  std::uint64_t last = 0;
  for (uid_t uid = kUser + 1; counted <= kKept; ++uid) {
    ASSERT_LT(uid, kUser + 100);
    ASSERT_EQ(in_child([uid]() -> std::string {
                NEED_EQ(become(uid), kDone);
                const Fd vm(create_vm(open_device(), "many"));
                kvm_create_device device{};
                for (int i = 0; i < 98; ++i) NEED_EQ(ctl(vm, KVM_CREATE_DEVICE, &device), -EPERM);
                return "";
              }),
              "");
    for (const vmctl_event& event : events_of(system_)) {
      if (last != 0) ASSERT_EQ(event.seq, last + 1);
      last = event.seq;
      ++counted;
    }
  }
  const auto kept = events_of(slow);
  ASSERT_EQ(kept.size(), kKept);
  EXPECT_EQ(kept.back().seq, last);
  EXPECT_EQ(kept.front().seq, last - kKept + 1);
}

}  // namespace
