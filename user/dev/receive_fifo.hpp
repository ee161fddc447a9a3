// SPDX-License-Identifier: GPL-2.0
// What a UART has received and its driver has not yet read: one character, or with FIFOs sixteen,
// each with the errors that came with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace vmctl {

class ReceiveFifo {
 public:
  static constexpr std::size_t kDepth = 16;

  std::size_t fill() const { return fill_; }
  bool empty() const { return fill_ == 0; }
  void clear() { fill_ = 0; }

  // There must be room.
  void push(std::uint8_t value, std::uint8_t errors) {
    at(fill_) = {.value = value, .errors = errors};
    ++fill_;
  }
  // There must be one.
  std::uint8_t pop() {
    const std::uint8_t value = at(0).value;
    first_ = (first_ + 1) % kDepth;
    --fill_;
    return value;
  }
  // The errors of the character that is to be read next, which has none from now on.
  std::uint8_t take_errors() {
    if (empty()) return 0;
    const std::uint8_t errors = at(0).errors;
    at(0).errors = 0;
    return errors;
  }
  bool any_errors() const {
    for (std::size_t i = 0; i < fill_; ++i)
      if (entries_[(first_ + i) % kDepth].errors != 0) return true;
    return false;
  }

 private:
  struct Entry {
    std::uint8_t value;
    std::uint8_t errors;
  };
  Entry& at(std::size_t index) { return entries_[(first_ + index) % kDepth]; }

  std::array<Entry, kDepth> entries_{};
  std::size_t first_ = 0;
  std::size_t fill_ = 0;
};

}  // namespace vmctl
