// SPDX-License-Identifier: GPL-2.0
// The signal that brings a thread out of a system call and does nothing else.
#pragma once

#include <csignal>

namespace vmctl {

inline int kick_signal() {
  return SIGRTMIN;
}

// While it lives the signal is caught; before and after it would end the process.
class KickHandler {
 public:
  KickHandler() {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // and no SA_RESTART
    ::sigaction(kick_signal(), &action, &old_);
  }
  KickHandler(const KickHandler&) = delete;
  KickHandler& operator=(const KickHandler&) = delete;
  ~KickHandler() { ::sigaction(kick_signal(), &old_, nullptr); }

 private:
  struct sigaction old_ {};
};

}  // namespace vmctl
