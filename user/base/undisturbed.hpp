// SPDX-License-Identifier: GPL-2.0
// Steps that belong together.
#pragma once

#include <csignal>

namespace vmctl {

// While it lives no signal but SIGKILL ends this thread; what comes meanwhile comes then.
class Undisturbed {
 public:
  Undisturbed() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;
  ~Undisturbed() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace vmctl
