// SPDX-License-Identifier: GPL-2.0
// The signals that end a program, as something to wait for.
#pragma once

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/fd.hpp"

namespace vmctl {

// While it lives SIGINT, SIGTERM and SIGHUP come through fd(); SIGHUP not where it is ignored, as
// under nohup. That SIGINT is ignored says nothing: shells do so for whatever runs in the
// background, and who sends it there means it.
class EndSignals {
 public:
  EndSignals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&set, number);
    if (!hangup_is_ignored()) sigaddset(&set, SIGHUP);
    fd_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_.valid()) throw std::system_error(errno, std::generic_category(), "signalfd");
    pthread_sigmask(SIG_BLOCK, &set, &old_mask_);
  }
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  ~EndSignals() {
    // One has ended the machine; another would end us before we could tell.
    while (take() != 0) continue;
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }

  int fd() const { return fd_.get(); }
  // The number of one that came, or 0.
  int take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                                : 0;
  }

 private:
  static bool hangup_is_ignored() {
    struct sigaction action {};
    return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
  }

  Fd fd_;
  sigset_t old_mask_{};
};

}  // namespace vmctl
