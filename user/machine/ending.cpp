// SPDX-License-Identifier: GPL-2.0
#include "machine/ending.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace vmctl {

Ending::Ending() : stop_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!stop_.valid()) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Ending::end(End end) {
  const bool stop = end.kind != EndKind::halted;
  {
    const std::lock_guard guard(lock_);
    if (!gravest_ || end.kind > gravest_->kind) gravest_ = std::move(end);
  }
  if (!stop || stopping_.exchange(true)) return;
  // Cannot fail: the counter goes from 0 to 1, once.
  [[maybe_unused]] const int written = ::eventfd_write(stop_.get(), 1);
}

End Ending::gravest() const {
  const std::lock_guard guard(lock_);
  return gravest_.value_or(End{});
}

}  // namespace vmctl
