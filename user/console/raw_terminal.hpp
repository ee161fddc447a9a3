// SPDX-License-Identifier: GPL-2.0
// A terminal whose keys all reach the program, and that is as it was when the program goes, however
// it goes: also by a crash. (After SIGKILL nothing can restore it; `stty sane` does.)
#pragma once

#include <termios.h>

#include <array>
#include <csignal>

namespace vmctl {

// One at a time.
class RawTerminal {
 public:
  // Of an fd that is a terminal.
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  // False: others have it in the foreground, and it stays theirs.
  bool enter() const;
  void leave() const;

  // Whether it is ours to change: nobody else's, in the sense of job control.
  static bool is_ours(int fd);

 private:
  // Those whose default is to end the process and that nobody here expects.
  static constexpr std::array kFatal{SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,    SIGABRT,  SIGSYS,
                                     SIGTRAP, SIGQUIT, SIGALRM, SIGUSR1,   SIGUSR2,  SIGXCPU,
                                     SIGXFSZ, SIGPROF, SIGPOLL, SIGVTALRM, SIGSTKFLT};
  static void on_fatal(int number);

  int fd_;
};

}  // namespace vmctl
