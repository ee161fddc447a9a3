// SPDX-License-Identifier: GPL-2.0
// fuzz-devices [--steps N] [--seed N]
//
// Feeds the devices with random bytes until so many steps are done. The same seed gives the same
// run. Ends with an abort where a rule is broken or a sanitizer finds something.
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

#include "pc.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

struct Options {
  std::uint64_t steps = 2'000'000;
  std::uint64_t seed = 1;
};

bool parse(std::span<char*> arguments, Options& options) {
  for (; arguments.size() >= 2; arguments = arguments.subspan(2)) {
    const std::string_view name = arguments[0];
    const std::string_view value = arguments[1];
    std::uint64_t* number = name == "--steps"  ? &options.steps
                            : name == "--seed" ? &options.seed
                                               : nullptr;
    if (number == nullptr) return false;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), *number);
    if (error != std::errc() || end != value.data() + value.size()) return false;
  }
  return arguments.empty();
}

void run(const Options& options) {
  constexpr std::size_t kLongest = 8192;
  std::mt19937_64 random(options.seed);
  std::vector<std::uint8_t> input;
  while (vmctl::fuzz::tally().steps < options.steps) {
    input.resize(1 + random() % kLongest);
    for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random());
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  vmctl::fuzz::check_reads_fill();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!parse(std::span(argv, static_cast<std::size_t>(argc)).subspan(1), options)) {
    fmt::print(stderr, "usage: fuzz-devices [--steps N] [--seed N]\n");
    return 64;
  }
  run(options);

  const auto& tally = vmctl::fuzz::tally();
  std::uint64_t accesses = 0;
  for (const auto& [device, count] : tally.accesses) accesses += count;
  fmt::print("steps {}, accesses {} by device", tally.steps, accesses);
  for (const auto& [device, count] : tally.accesses)
    fmt::print(" {} {}", device.empty() ? "none" : device, count);
  fmt::print(", seed {}\n", options.seed);
  return 0;
}
