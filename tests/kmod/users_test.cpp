// SPDX-License-Identifier: GPL-2.0-only
//
// Who sees and revokes what: one's own; with CAP_SYS_ADMIN everything. The
// rights are those of whoever opened the device.
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>

#include "driver.hpp"

namespace {

using namespace t;

constexpr uid_t kNobody = 65534;
constexpr uid_t kSomebody = 12345;

std::vector<Row> rows_of(int fd) {
  std::string text;
  char part[4096];
  ::lseek(fd, 0, SEEK_SET);
  for (ssize_t n = 0; (n = ::read(fd, part, sizeof part)) > 0;) {
    text.append(part, static_cast<std::size_t>(n));
  }
  std::vector<Row> rows;
  for (const std::string& line : lines_of(text)) rows.push_back(parse_row(line).value_or(Row{}));
  return rows;
}

// The node is open to all for the time of a test.
class Users : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (IsSkipped()) return;
    struct stat now {};
    ASSERT_EQ(::stat("/dev/vmctl", &now), 0);
    mode_ = now.st_mode;
    ASSERT_EQ(::chmod("/dev/vmctl", 0666), 0);
  }
  void TearDown() override {
    if (!IsSkipped()) ::chmod("/dev/vmctl", mode_);
    Own::TearDown();
  }

 private:
  mode_t mode_ = 0;
};

TEST_F(Users, SeeOnlyTheirOwn) {
  std::uint32_t id = 0;
  const Machine roots = named(guest::halt(), "roots", &id);
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(become(kNobody), kDone);
              const Fd system = open_device();
              NEED(system.valid());
              NEED_EQ(rows_of(system).size(), 0U);
              vmctl_info info{};
              NEED_EQ(ctl(system, VMCTL_GET_INFO, &info), 0);
              NEED_EQ(info.vms, 0U);
              NEED_EQ(info.vcpus, 0U);
              vmctl_stats s{};
              NEED_EQ(stats(system, id, VMCTL_ALL_VCPUS, &s), -ENOENT);
              NEED_EQ(revoke(system, id), -ENOENT);
              const std::string text = "revoke " + std::to_string(id);
              NEED_EQ(Ret::of(::write(system, text.data(), text.size())), -ENOENT);

              std::uint32_t own = 0;
              const Machine mine = named(guest::add(), "mine", &own);
              std::string out;
              NEED_EQ(mine.run(&out), 0);
              NEED_EQ(out, "4\n");
              const auto rows = rows_of(system);
              NEED_EQ(rows.size(), 1U);
              NEED_EQ(rows[0].id, own);
              NEED_EQ(rows[0].uid, kNobody);
              NEED_EQ(rows[0].pid, ::getpid());
              NEED_EQ(ctl(system, VMCTL_GET_INFO, &info), 0);
              NEED_EQ(info.vms, 1U);
              NEED_EQ(stats(system, own, VMCTL_ALL_VCPUS, &s), 0);
              NEED_EQ(revoke(system, own), 0);
              NEED_EQ(mine.cpu.enter(), -ENODEV);
              return "";
            }),
            "");
  EXPECT_EQ(row_of(id)->state, "active");
  EXPECT_EQ(roots.run(), 0);
}

// A process that makes a VM as another user, and waits for its end to be said.
class Other {
 public:
  explicit Other(uid_t uid) : child_(::fork()) {
    if (child_ == 0) {
      if (!become(uid).empty()) ::_exit(1);
      const Machine machine = named(guest::loop(), "other");
      ::eventfd_write(ready_, machine.built == 0 ? 1 : 2);
      Ret r = 0;
      while ((r = machine.cpu.enter()).ok() || r == -EINTR) {
      }
      ::_exit(r == -ENODEV ? 0 : 1);
    }
    eventfd_t value = 0;
    ::eventfd_read(ready_, &value);
    made_ = value == 1;
  }
  Other(const Other&) = delete;
  Other& operator=(const Other&) = delete;
  ~Other() {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
  }
  [[nodiscard]] bool made() const { return made_; }
  [[nodiscard]] pid_t pid() const { return child_; }
  // Whether it came out of its guest by revocation.
  bool ended_by_revocation() {
    int status = -1;
    const bool ended = eventually([&] { return ::waitpid(child_, &status, WNOHANG) == child_; });
    if (ended) child_ = -1;
    return ended && status == 0;
  }

 private:
  Fd ready_{::eventfd(0, EFD_CLOEXEC)};  // before child_, which shares it
  pid_t child_;
  bool made_ = false;
};

TEST_F(Users, AdminsSeeAndRevokeAll) {
  Other other(kNobody);
  ASSERT_TRUE(other.made());
  const auto rows = table();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].uid, kNobody);
  EXPECT_EQ(rows[0].pid, other.pid());
  vmctl_stats s{};
  const Fd system = open_device();
  EXPECT_EQ(stats(system, rows[0].id, VMCTL_ALL_VCPUS, &s), 0);
  EXPECT_EQ(revoke(system, rows[0].id), 0);
  EXPECT_TRUE(other.ended_by_revocation());
}

TEST_F(Users, OneUserDoesNotReachAnother) {
  Other other(kNobody);
  ASSERT_TRUE(other.made());
  const std::uint32_t id = table().at(0).id;
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(become(kSomebody), kDone);
              const Fd system = open_device();
              NEED_EQ(rows_of(system).size(), 0U);
              NEED_EQ(revoke(system, id), -ENOENT);
              return "";
            }),
            "");
  EXPECT_EQ(row_of(id)->state, "active");
}

TEST_F(Users, TwoProcessesOfOneUserReachEachOther) {
  Other other(kNobody);
  ASSERT_TRUE(other.made());
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(become(kNobody), kDone);
              const Fd system = open_device();
              const auto rows = rows_of(system);
              NEED_EQ(rows.size(), 1U);
              NEED_EQ(revoke(system, rows[0].id), 0);
              return "";
            }),
            "");
  EXPECT_TRUE(other.ended_by_revocation());
}

// Root without CAP_SYS_ADMIN is a user like others.
TEST_F(Users, TheCapabilityCountsAndNotTheNumber) {
  Other other(kNobody);
  ASSERT_TRUE(other.made());
  EXPECT_EQ(in_child([&]() -> std::string {
              __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
              __user_cap_data_struct data[2] = {};
              NEED(::syscall(SYS_capget, &head, data) == 0);
              data[0].effective &= ~(1U << CAP_SYS_ADMIN);
              NEED(::syscall(SYS_capset, &head, data) == 0);
              NEED_EQ(rows_of(open_device()).size(), 0U);
              NEED(!spit("/sys/class/vmctl/vmctl/user/vms", "1"));
              NEED(!spit("/sys/module/vmctl/parameters/kvm_path", "/dev/null"));
              return "";
            }),
            "");
  EXPECT_EQ(in_child([&]() -> std::string {  // and the capability of a user namespace is none
              NEED_EQ(become(kSomebody), kDone);
              NEED(::unshare(CLONE_NEWUSER) == 0);
              NEED_EQ(rows_of(open_device()).size(), 0U);
              return "";
            }),
            "");
}

TEST_F(Users, AnOpenFileKeepsTheRightsOfItsOpener) {
  const Machine roots = named(guest::halt(), "roots");
  const Fd opened_by_root = open_device();
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(become(kNobody), kDone);
              NEED_EQ(rows_of(opened_by_root).size(), 1U);
              NEED_EQ(rows_of(open_device()).size(), 0U);
              return "";
            }),
            "");
  // And the other way: opened by nobody, used by root.
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED(::setresuid(kNobody, kNobody, 0) == 0);
              const Fd opened_by_nobody = open_device();
              NEED(::setresuid(0, 0, 0) == 0);
              NEED_EQ(rows_of(opened_by_nobody).size(), 0U);
              NEED_EQ(revoke(opened_by_nobody, table().at(0).id), -ENOENT);
              return "";
            }),
            "");
}

// What others do does not show, not even as a wake-up.
TEST_F(Users, ArePolledFromTheirOwnChanges) {
  const Fd done(::eventfd(0, EFD_CLOEXEC));
  const Fd ready(::eventfd(0, EFD_CLOEXEC));
  const pid_t child = ::fork();
  if (child == 0) {
    if (!become(kNobody).empty()) ::_exit(1);
    const Fd system = open_device();
    (void)rows_of(system);
    ::eventfd_write(ready, 1);
    eventfd_t value = 0;
    ::eventfd_read(done, &value);
    pollfd one{.fd = system, .events = POLLIN, .revents = 0};
    if (::poll(&one, 1, 0) != 0) ::_exit(2);
    const Fd vm(create_vm(system, "mine"));
    if (::poll(&one, 1, 1000) != 1) ::_exit(3);
    ::_exit(0);
  }
  eventfd_t value = 0;
  ::eventfd_read(ready, &value);
  { const Machine roots = named(guest::halt(), "roots"); }
  ::eventfd_write(done, 1);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

// In a user namespace the numbers of the reader's own stand in the table.
TEST_F(Users, NumbersAreThoseOfTheReadersNamespaces) {
  const Machine roots = named(guest::halt(), "roots");
  EXPECT_EQ(in_child([&]() -> std::string {
              const Fd before = open_device();
              NEED(::unshare(CLONE_NEWPID) == 0);
              const pid_t inner = ::fork();
              if (inner == 0) {
                // The creator has no number in here.
                const auto rows = rows_of(open_device());
                ::_exit(rows.size() == 1 && rows[0].pid == 0 ? 0 : 1);
              }
              int status = -1;
              NEED(::waitpid(inner, &status, 0) == inner);
              NEED_EQ(status, 0);
              NEED_EQ(rows_of(before).size(), 1U);
              return "";
            }),
            "");
}

TEST(Node, IsForRootAndItsGroup) {
  if (!device_is_vmctl()) GTEST_SKIP();
  struct stat node {};
  ASSERT_EQ(::stat("/dev/vmctl", &node), 0);
  EXPECT_EQ(node.st_mode, S_IFCHR | mode_t{0660});
  EXPECT_EQ(node.st_uid, 0U);
}

}  // namespace
