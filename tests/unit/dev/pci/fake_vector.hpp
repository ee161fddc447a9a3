// SPDX-License-Identifier: GPL-2.0
// A message that remembers.
#pragma once

#include <memory>
#include <vector>

#include "bus/msi.hpp"

namespace vmctl::test {

struct Sent {
  int routes = 0;
  MsiMessage route;
  std::vector<MsiMessage> messages;
};

class FakeVector final : public MsiVector {
 public:
  explicit FakeVector(Sent& sent) : sent_(sent) {}
  void route(const MsiMessage& message) override {
    sent_.route = message;
    ++sent_.routes;
  }
  void raise() override { sent_.messages.push_back(sent_.route); }

 private:
  Sent& sent_;
};

inline std::vector<std::unique_ptr<MsiVector>> fake_vectors(std::vector<Sent>& sent) {
  std::vector<std::unique_ptr<MsiVector>> vectors;
  for (Sent& one : sent) vectors.push_back(std::make_unique<FakeVector>(one));
  return vectors;
}

}  // namespace vmctl::test
