// SPDX-License-Identifier: GPL-2.0
// A sink that keeps what it got.
#pragma once

#include <string>

#include "dev/sink.hpp"

namespace vmctl::test {

class Collect final : public Sink {
 public:
  void put(std::span<const std::uint8_t> bytes) override {
    text.append(bytes.begin(), bytes.end());
    ++puts;
  }
  std::string text;
  int puts = 0;
};

}  // namespace vmctl::test
