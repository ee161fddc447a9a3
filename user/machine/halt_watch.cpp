// SPDX-License-Identifier: GPL-2.0
#include "machine/halt_watch.hpp"

#include <algorithm>

namespace vmctl {

bool HaltWatch::tick(Clock::time_point now) {
  constexpr unsigned kEnough = 2;
  const std::uint64_t turns = vcpus_.turns();
  const bool quiet = turns == turns_;
  turns_ = turns;
  const bool answered = quiet && asked_;
  found_ = answered && vcpus_.lie_still() ? found_ + 1 : 0;
  if (found_ == kEnough) return true;
  interval_ = answered && found_ == 0 ? std::min(2 * interval_, kLongest) : kInterval;
  next_ = now + interval_;
  asked_ = quiet;
  if (quiet) vcpus_.look();
  return false;
}

}  // namespace vmctl
