// SPDX-License-Identifier: GPL-2.0-only
//
// Memory whose pages come when they are brought: who touches it waits until then.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>

#include "sys.hpp"

namespace t {

// One page. Not valid() where there is no userfaultfd.
class LatePages {
 public:
  LatePages() : faults_(Ret::of(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))) {
    uffdio_api api{.api = UFFD_API};
    if (faults_.valid() && !ctl(faults_, UFFDIO_API, &api).ok()) faults_.close();
    uffdio_register area{};
    area.range = {.start = page_.address(), .len = page_.size()};
    area.mode = UFFDIO_REGISTER_MODE_MISSING;
    if (!ctl(faults_, UFFDIO_REGISTER, &area).ok()) faults_.close();
  }
  [[nodiscard]] bool valid() const { return faults_.valid(); }
  [[nodiscard]] const Mapping& page() const { return page_; }
  [[nodiscard]] bool are_waited_for() const {
    pollfd one{.fd = faults_, .events = POLLIN, .revents = 0};
    return ::poll(&one, 1, 20000) == 1;
  }
  void bring() const {
    uffdio_zeropage zero{};
    zero.range = {.start = page_.address(), .len = page_.size()};
    EXPECT_EQ(ctl(faults_, UFFDIO_ZEROPAGE, &zero), 0);
  }

 private:
  Mapping page_ = Mapping::memory(page_size());
  Fd faults_;
};

}  // namespace t
