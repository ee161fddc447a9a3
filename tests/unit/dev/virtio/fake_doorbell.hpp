// SPDX-License-Identifier: GPL-2.0
// A doorbell that a test looks at.
#pragma once

#include <optional>

#include "bus/doorbell.hpp"

namespace vmctl::test {

struct Bell {
  std::optional<GuestAddr> at;
  bool heard = false;
  int rung = 0;
};

class FakeDoorbell final : public Doorbell {
 public:
  explicit FakeDoorbell(Bell& bell) : bell_(bell) {}
  void place(std::optional<GuestAddr> address) override { bell_.at = address; }
  void listen(bool on) override { bell_.heard = on; }
  void ring() override { ++bell_.rung; }

 private:
  Bell& bell_;
};

}  // namespace vmctl::test
