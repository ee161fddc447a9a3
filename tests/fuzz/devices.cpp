// SPDX-License-Identifier: GPL-2.0
// One input of the device fuzzer, in libFuzzer's form.
#include <cstddef>
#include <cstdint>

#include "pc.hpp"

// The names are libFuzzer's.
// NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  vmctl::fuzz::Script script({data, size});
  vmctl::fuzz::Pc pc;
  while (!script.done()) pc.step(script);
  return 0;
}
