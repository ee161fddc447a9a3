// SPDX-License-Identifier: GPL-2.0
// Time as devices see it: nanoseconds since the machine was switched on.
#pragma once

#include <chrono>

namespace vmctl {

using Time = std::chrono::nanoseconds;

class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;

  // Never goes back. May be called from any thread.
  virtual Time now() const = 0;
};

// One alarm of one device, which the device's owner connects with a handler of the device's.
// The handler comes once, at or after the time, from a thread that holds no lock; it may come
// although the timer was set anew or stopped meanwhile, so it looks at the clock.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() = default;

  // In place of whatever was set before. May be called with the device's lock held.
  virtual void set(Time at) = 0;
  virtual void stop() = 0;
};

}  // namespace vmctl
