// SPDX-License-Identifier: GPL-2.0
// fuzz-replay [NAME FILE...]
//
// Gives files to a target of libFuzzer's, without libFuzzer; without arguments prints their names.
// Ends with an abort where a rule is broken.
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

using Target = int(const std::uint8_t* data, std::size_t size);
#define TARGET(name) extern "C" Target fuzz_##name;
#include "targets.inc"
#undef TARGET

namespace {

struct Row {
  std::string_view name;
  Target* target;
};

constexpr Row kRows[] = {
#define TARGET(name) {#name, fuzz_##name},
#include "targets.inc"
#undef TARGET
};

bool replay(Target* target, const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (!file) {
    std::fprintf(stderr, "fuzz-replay: cannot read %s\n", path);
    return false;
  }
  std::printf("%s\n", path);
  std::fflush(stdout);  // names the file if this one aborts
  target(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> arguments(argv + 1, static_cast<std::size_t>(argc - 1));
  if (arguments.empty()) {
    for (const Row& row : kRows) std::printf("%s\n", row.name.data());
    return 0;
  }
  for (const Row& row : kRows) {
    if (row.name != arguments[0]) continue;
    bool good = arguments.size() > 1;
    for (const char* path : arguments.subspan(1)) good = replay(row.target, path) && good;
    return good ? 0 : 1;
  }
  std::fprintf(stderr, "fuzz-replay: there is no target %s\n", arguments[0]);
  return 64;
}
