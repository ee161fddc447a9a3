// SPDX-License-Identifier: GPL-2.0-only
//
// write(): commands as text, all of a write parsed before the first is done.
#include <fcntl.h>
#include <sys/uio.h>

#include <functional>

#include "driver.hpp"
#include "kmsg.hpp"

namespace {

using namespace t;

// Two VMs to name in commands.
class Command : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (IsSkipped()) return;
    system_ = open_device();
    one_vm_ = Fd(create_vm(system_, "one", &one_));
    two_vm_ = Fd(create_vm(system_, "two", &two_));
  }
  void TearDown() override {
    for (Fd* fd : {&one_vm_, &two_vm_, &system_}) fd->close();
    Own::TearDown();
  }
  static Ret write(const std::string& text) {
    const Fd fd = open_device();
    return Ret::of(::write(fd, text.data(), text.size()));
  }
  // "active active" and so on; revoked ones are made anew.
  std::string states() const { return row_of(one_)->state + " " + row_of(two_)->state; }
  void renew() {
    if (row_of(one_)->state != "active") one_vm_ = Fd(create_vm(system_, "one", &one_));
    if (row_of(two_)->state != "active") two_vm_ = Fd(create_vm(system_, "two", &two_));
  }
  Fd system_;
  Fd one_vm_;
  Fd two_vm_;
  std::uint32_t one_ = 0;
  std::uint32_t two_ = 0;
};

TEST_F(Command, RevokesByText) {
  for (const char* form : {"revoke %\n", "revoke %", "\nrevoke %\n\n", "  revoke   %  \n",
                           "revoke\t%\n", "revoke 0%\n"}) {
    renew();
    std::string text = form;
    text.replace(text.find('%'), 1, std::to_string(one_));
    EXPECT_EQ(write(text), static_cast<long>(text.size())) << form;
    EXPECT_EQ(states(), "revoked active") << form;
    EXPECT_EQ(ctl(one_vm_, KVM_CHECK_EXTENSION, 3), -ENODEV);
  }
}

TEST_F(Command, TakesSeveralLines) {
  const std::string text =
      "revoke " + std::to_string(one_) + "\nrevoke " + std::to_string(two_) + "\n";
  EXPECT_EQ(write(text), static_cast<long>(text.size()));
  EXPECT_EQ(states(), "revoked revoked");
}

TEST_F(Command, NonsenseIsInvalidAndNothingIsDone) {
  const std::string good = "revoke " + std::to_string(one_) + "\n";
  const std::string id = std::to_string(one_);
  const std::string texts[] = {
      "x",
      "revoke",
      "revoke\n",
      "revoke \n",
      "revoke" + id,
      "Revoke " + id,
      "revoke " + id + "x",
      "revoke x" + id,
      "revoke " + id + " " + id,
      "revoke -" + id,
      "revoke -1",
      "revoke 0x" + id,
      "revoke 0",
      "revoke 4294967296",
      "revoke " + std::to_string((std::uint64_t{1} << 32) + one_),
      "revoke 18446744073709551616",
      "revoke " + std::string(100, '9'),
      "revoke " + id + ";",
      "revoke " + id + "\r\nx",
      "unrevoke " + id,
      "create x",
      good + "x",
      good + "revoke x\n",
      good + good + "revoke",
      "x\n" + good,
      std::string("revoke ") + '\0' + id,
      good + '\0',
      std::string(1, '\0') + good,
      std::string(100, '\0'),
      "\xff\xfe",
  };
  for (const std::string& text : texts) {
    EXPECT_EQ(write(text), -EINVAL) << ::testing::PrintToString(text);
    EXPECT_EQ(states(), "active active") << ::testing::PrintToString(text);
  }
}

TEST_F(Command, AnUnknownVmEndsTheList) {
  const std::string unknown = "revoke " + std::to_string(two_ + 1000) + "\n";
  EXPECT_EQ(write(unknown), -ENOENT);
  EXPECT_EQ(write("revoke " + std::to_string(one_) + "\n" + unknown + "revoke " +
                  std::to_string(two_) + "\n"),
            -ENOENT);
  EXPECT_EQ(states(), "revoked active") << "the lines before it were carried out";
}

TEST_F(Command, HasABound) {
  const std::string good = "revoke " + std::to_string(one_) + "\n";
  EXPECT_EQ(write(good + std::string(4097 - good.size(), '\n')), -E2BIG);
  EXPECT_EQ(write(std::string(1 << 20, '\n')), -E2BIG);
  EXPECT_EQ(states(), "active active");
  EXPECT_EQ(write(good + std::string(4096 - good.size(), '\n')), 4096);
  EXPECT_EQ(states(), "revoked active");
}

TEST_F(Command, EmptyIsNothing) {
  EXPECT_EQ(write(""), 0);
  EXPECT_EQ(write("\n"), 1);
  EXPECT_EQ(write(" \n\n \t\n"), 6);
  EXPECT_EQ(states(), "active active");
}

TEST_F(Command, BadPointersAreFaults) {
  const std::string good = "revoke " + std::to_string(one_) + "\n";
  const Mapping pages = Mapping::memory(2 * page_size());
  ASSERT_EQ(::mprotect(pages.data() + page_size(), page_size(), PROT_NONE), 0);
  for (std::size_t inside = 0; inside < good.size(); ++inside) {
    std::uint8_t* at = pages.data() + page_size() - inside;
    good.copy(reinterpret_cast<char*>(at), inside);
    EXPECT_EQ(Ret::of(::write(system_, at, good.size())), -EFAULT) << inside;
  }
  EXPECT_EQ(states(), "active active");
}

// A command moves no reader, wherever the file stands.
TEST_F(Command, DoesNotCareForOffsets) {
  const std::string good = "revoke " + std::to_string(one_) + "\n";
  const std::string before = slurp("/dev/vmctl");
  char text[4096] = {};
  ASSERT_EQ(::read(system_, text, 5), 5);
  EXPECT_EQ(Ret::of(::write(system_, good.data(), good.size())), static_cast<long>(good.size()));
  EXPECT_EQ(states(), "revoked active");
  const ssize_t n = ::read(system_, text + 5, sizeof text - 5);
  ASSERT_GT(n, 0);
  EXPECT_EQ(std::string(text, static_cast<std::size_t>(n) + 5), before);
}

// Pieces of a vector are one write or several; a line is never taken from half of it.
TEST_F(Command, APieceOfALineIsNoLine) {
  std::string head = "revo";
  std::string tail = "ke " + std::to_string(one_) + "\n";
  iovec pieces[] = {{head.data(), head.size()}, {tail.data(), tail.size()}};
  const Ret r = Ret::of(::writev(system_, pieces, 2));
  if (r.ok()) {
    EXPECT_EQ(r, static_cast<long>(head.size() + tail.size()));
    EXPECT_EQ(states(), "revoked active");
  } else {
    EXPECT_EQ(r, -EINVAL);
    EXPECT_EQ(states(), "active active");
  }
}

TEST_F(Command, NeedsAnFdOpenForWriting) {
  const std::string good = "revoke " + std::to_string(one_) + "\n";
  const Fd reader(::open("/dev/vmctl", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(Ret::of(::write(reader, good.data(), good.size())), -EBADF);
  const Fd writer(::open("/dev/vmctl", O_WRONLY | O_CLOEXEC));
  char byte = 0;
  EXPECT_EQ(Ret::of(::read(writer, &byte, 1)), -EBADF);
  EXPECT_EQ(states(), "active active");
  EXPECT_EQ(Ret::of(::write(writer, good.data(), good.size())), static_cast<long>(good.size()));
}

}  // namespace
