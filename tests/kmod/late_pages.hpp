// SPDX-License-Identifier: GPL-2.0-only
//
// Memory whose pages come when they are brought: who touches it waits until then.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/syscall.h>

#include <chrono>

#include "sys.hpp"

namespace t {

// Not valid() where there is no userfaultfd. What is still late when it goes comes as zeros.
class LatePages {
 public:
  LatePages() : faults_(Ret::of(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK))) {
    uffdio_api api{.api = UFFD_API};
    if (faults_.valid() && !ctl(faults_, UFFDIO_API, &api).ok()) faults_.close();
  }
  [[nodiscard]] bool valid() const { return faults_.valid(); }
  // From here on these bytes of whole pages, not touched so far, are late.
  [[nodiscard]] bool delay(std::uintptr_t address, std::size_t length) const {
    uffdio_register area{};
    area.range = {.start = address, .len = length};
    area.mode = UFFDIO_REGISTER_MODE_MISSING;
    return ctl(faults_, UFFDIO_REGISTER, &area).ok();
  }
  // One that is; none if it cannot be had.
  [[nodiscard]] Mapping page() const {
    Mapping page = Mapping::memory(page_size());
    if (!delay(page.address(), page.size())) page.unmap();
    return page;
  }
  [[nodiscard]] bool are_waited_for() const {
    return eventually([&] {
      pollfd one{.fd = faults_, .events = POLLIN, .revents = 0};
      return ::poll(&one, 1, 0) == 1;
    });
  }
  void bring(std::uintptr_t address, std::size_t length) const {
    uffdio_zeropage zero{};
    zero.range = {.start = address, .len = length};
    EXPECT_EQ(ctl(faults_, UFFDIO_ZEROPAGE, &zero), 0);
  }
  void bring(const Mapping& page) const { bring(page.address(), page.size()); }

 private:
  Fd faults_;
};

}  // namespace t
