// SPDX-License-Identifier: GPL-2.0
#include "run/ending.hpp"

#include <utility>

namespace vmctl {

void Ending::end(End end) {
  const bool stop = end.kind != EndKind::halted;
  {
    const std::lock_guard guard(lock_);
    if (!gravest_ || end.kind > gravest_->kind) gravest_ = std::move(end);
  }
  if (!stop || stopping_.exchange(true)) return;
  stop_.set();
}

void Ending::begin_anew() {
  const std::lock_guard guard(lock_);
  gravest_.reset();
  stopping_ = false;
  stop_.clear();
}

End Ending::gravest() const {
  const std::lock_guard guard(lock_);
  return gravest_.value_or(End{});
}

}  // namespace vmctl
