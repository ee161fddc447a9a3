// SPDX-License-Identifier: GPL-2.0
// An interrupt that is a message: a write of `data` to `address` (PCI Local Bus 3.0, 6.8).
#pragma once

#include <cstdint>

namespace vmctl {

struct MsiMessage {
  std::uint64_t address = 0;
  std::uint32_t data = 0;
  bool operator==(const MsiMessage&) const = default;
};

class MsiVector {
 public:
  MsiVector() = default;
  MsiVector(const MsiVector&) = delete;
  MsiVector& operator=(const MsiVector&) = delete;
  virtual ~MsiVector() = default;

  // What raise() sends from now on; the guest's own words, which may mean nothing. With the
  // device's lock held.
  virtual void route(const MsiMessage& message) = 0;
  // Once per call, after the first route(). From any thread, with the device's lock held.
  virtual void raise() = 0;
};

}  // namespace vmctl
