// SPDX-License-Identifier: GPL-2.0
#include "machine/halt_watch.hpp"

#include <algorithm>
#include <numeric>

namespace vmctl {

std::uint64_t HaltWatch::turns() const {
  return std::accumulate(
      loops_.begin(), loops_.end(), std::uint64_t{0},
      [](std::uint64_t sum, const VcpuLoop& loop) { return sum + loop.turns(); });
}

bool HaltWatch::all_still() const {
  return std::all_of(loops_.begin(), loops_.end(),
                     [](const VcpuLoop& loop) { return loop.lies_still(); });
}

bool HaltWatch::tick(Clock::time_point now) {
  constexpr unsigned kEnough = 2;
  next_ = now + kInterval;
  const std::uint64_t turns = this->turns();
  const bool quiet = turns == turns_;
  turns_ = turns;
  found_ = quiet && asked_ && all_still() ? found_ + 1 : 0;
  asked_ = quiet;
  if (found_ == kEnough) return true;
  if (quiet)
    for (VcpuLoop& loop : loops_) loop.look();
  return false;
}

}  // namespace vmctl
