// SPDX-License-Identifier: GPL-2.0
// For the targets of libFuzzer: its bytes taken apart, and the rules they check.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.hpp"

namespace vmctl::fuzz {

// A rule that holds for every input; a broken one ends the run.
inline void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", rule);
  std::abort();
}

// Whether a terminal shows it as it is.
inline bool is_safe(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// What every refusal must be: a status that is a failure, words, and safe to print.
inline void require_error(const Error& error) {
  require(error.status != Status::ok, "an error is no success");
  require(!error.what.empty(), "an error says what failed");
  std::string text = error.text();
  std::erase(text, '\n');
  require(is_safe(text), "an error is safe on a terminal");
}

template <class T>
bool is_error(const Result<T>& result) {
  if (!result) require_error(result.error());
  return !result;
}

// The bytes, from the front; zeros and empty texts when they are used up.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

  bool done() const { return bytes_.empty(); }

  template <class T>
  T number() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value{};
    const std::size_t size = std::min(sizeof value, bytes_.size());
    if (size > 0) std::memcpy(&value, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return value;
  }
  bool flag() { return (number<std::uint8_t>() & 1) != 0; }

  std::span<const std::uint8_t> bytes(std::size_t most) {
    const auto first = bytes_.first(std::min(most, bytes_.size()));
    bytes_ = bytes_.subspan(first.size());
    return first;
  }

  // Up to a newline, which is left out.
  std::string line() {
    const auto end = std::find(bytes_.begin(), bytes_.end(), std::uint8_t{'\n'});
    std::string text(bytes_.begin(), end);
    bytes_ = bytes_.subspan(std::min(text.size() + 1, bytes_.size()));
    return text;
  }
  std::string rest() { return {bytes_.begin(), bytes_.end()}; }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace vmctl::fuzz

// libFuzzer's name; the program that replays has a name for each target.
// NOLINTBEGIN(bugprone-macro-parentheses): they are the names of parameters.
#define FUZZ_TARGET(data, size) \
  extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
// NOLINTEND(bugprone-macro-parentheses)
