// SPDX-License-Identifier: GPL-2.0
// Something that has happened, for those who wait in poll() for it (eventfd(2)).
#pragma once

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>

#include "base/fd.hpp"

namespace vmctl {

class Event {
 public:
  Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!fd_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
  }

  // Readable from set() to clear(). May be called from any thread.
  int fd() const { return fd_.get(); }
  void set() const { [[maybe_unused]] const int done = ::eventfd_write(fd_.get(), 1); }
  void clear() const {
    eventfd_t times = 0;
    [[maybe_unused]] const int done = ::eventfd_read(fd_.get(), &times);
  }

 private:
  Fd fd_;
};

}  // namespace vmctl
