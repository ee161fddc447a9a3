// SPDX-License-Identifier: GPL-2.0
// A clock that stands until it is put on, and a timer that a test looks at.
#pragma once

#include <optional>

#include "bus/clock.hpp"

namespace vmctl::test {

class FakeClock final : public Clock {
 public:
  Time now() const override { return time; }
  Time time{0};
};

class FakeTimer final : public Timer {
 public:
  void set(Time when) override {
    at = when;
    ++calls;
  }
  void stop() override {
    at.reset();
    ++calls;
  }
  std::optional<Time> at;
  int calls = 0;
};

}  // namespace vmctl::test
