// SPDX-License-Identifier: GPL-2.0
// Where a device's output goes.
#pragma once

#include <cstdint>
#include <span>

namespace vmctl {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Takes all of it, in order; may wait. What cannot be delivered is the sink's to report.
  virtual void put(std::span<const std::uint8_t> bytes) = 0;
};

}  // namespace vmctl
