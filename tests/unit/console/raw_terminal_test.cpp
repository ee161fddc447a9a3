// SPDX-License-Identifier: GPL-2.0
#include "console/raw_terminal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/fd.hpp"

namespace vmctl {
namespace {

class RawTerminalTest : public testing::Test {
 protected:
  RawTerminalTest() : ours(::posix_openpt(O_RDWR | O_NOCTTY)) {
    ::grantpt(ours.get());
    ::unlockpt(ours.get());
    terminal = Fd(::open(::ptsname(ours.get()), O_RDWR | O_NOCTTY));
    if (::tcgetattr(terminal.get(), &before) != 0) throw std::runtime_error("no pty");
  }
  termios now() const {
    termios modes{};
    ::tcgetattr(terminal.get(), &modes);
    return modes;
  }
  bool as_before() const {
    const termios modes = now();
    return modes.c_lflag == before.c_lflag && modes.c_iflag == before.c_iflag &&
           modes.c_oflag == before.c_oflag &&
           std::memcmp(&modes.c_cc[0], &before.c_cc[0], sizeof modes.c_cc) == 0;
  }
  Fd ours;
  Fd terminal;
  termios before{};
};

TEST_F(RawTerminalTest, IsRawBetweenEnterAndLeave) {
  {
    RawTerminal raw(terminal.get());
    EXPECT_TRUE(as_before());
    EXPECT_TRUE(raw.enter());
    EXPECT_EQ(now().c_lflag & static_cast<tcflag_t>(ICANON | ISIG | ECHO), 0U);
    EXPECT_NE(now().c_oflag & static_cast<tcflag_t>(OPOST), 0U);
    raw.leave();
    EXPECT_TRUE(as_before());
    raw.enter();
  }
  EXPECT_TRUE(as_before());
}

TEST_F(RawTerminalTest, ACrashLeavesItAsItWas) {
  for (const int number : {SIGSEGV, SIGABRT, SIGUSR1}) {
    const pid_t child = ::fork();
    if (child == 0) {
      const rlimit none{.rlim_cur = 0, .rlim_max = 0};
      ::setrlimit(RLIMIT_CORE, &none);
      std::signal(number, SIG_DFL);  // as a sanitizer may not have it
      RawTerminal raw(terminal.get());
      raw.enter();
      ::raise(number);
      ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == number) << number;
    EXPECT_TRUE(as_before()) << number;
  }
}

TEST_F(RawTerminalTest, HandlersAreAsBeforeAfterwards) {
  struct sigaction found {};
  ::sigaction(SIGUSR2, nullptr, &found);
  { const RawTerminal raw(terminal.get()); }
  struct sigaction after {};
  ::sigaction(SIGUSR2, nullptr, &after);
  EXPECT_EQ(after.sa_handler, found.sa_handler);
}

}  // namespace
}  // namespace vmctl
