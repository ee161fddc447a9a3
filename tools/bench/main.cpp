// SPDX-License-Identifier: GPL-2.0-only
//
// bench-exits [--json] [--scale N] [--raw PATH] [--vmctl PATH]
//
// What KVM's commands cost raw and through vmctl, in ticks of the TSC. Under
// scripts/testvm --icount a tick is an instruction, the same in every run.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "measure.hpp"

namespace {

void print_table(const std::vector<bench::Line>& lines) {
  std::printf("%s\n%-26s %12s %12s %12s %12s %8s\n",
              bench::ticks_are_instructions() ? "a tick is an instruction" : "ticks of the TSC", "",
              "raw median", "mode", "vmctl median", "mode", "ratio");
  for (const bench::Line& line : lines) {
    std::printf("%-26s %12llu %12llu %12llu %12llu %8.4f\n", line.name.c_str(),
                static_cast<unsigned long long>(line.raw.median),
                static_cast<unsigned long long>(line.raw.mode),
                static_cast<unsigned long long>(line.vmctl.median),
                static_cast<unsigned long long>(line.vmctl.mode), line.ratio());
  }
}

void print_cost(const char* name, const bench::Cost& cost) {
  std::printf(R"("%s": {"median": %llu, "mode": %llu, "least": %llu})", name,
              static_cast<unsigned long long>(cost.median),
              static_cast<unsigned long long>(cost.mode),
              static_cast<unsigned long long>(cost.least));
}

void print_json(const std::vector<bench::Line>& lines) {
  std::printf(R"({"unit": "%s", "lines": [)",
              bench::ticks_are_instructions() ? "instruction" : "tsc");
  const char* separator = "";
  for (const bench::Line& line : lines) {
    std::printf("%s\n  {\"name\": \"%s\", \"rounds\": %zu, ", separator, line.name.c_str(),
                line.rounds);
    print_cost("raw", line.raw);
    std::printf(", ");
    print_cost("vmctl", line.vmctl);
    std::printf(", \"ratio\": %.4f}", line.ratio());
    separator = ",";
  }
  std::printf("\n]}\n");
}

int usage() {
  std::fputs("usage: bench-exits [--json] [--scale N] [--raw PATH] [--vmctl PATH]\n", stderr);
  return 64;
}

}  // namespace

int main(int argc, char** argv) {
  bench::Devices devices;
  bool json = false;
  unsigned scale = 1;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--json") == 0) {
      json = true;
    } else if (std::strcmp(argv[i], "--scale") == 0 && has_value) {
      char* end = nullptr;
      scale = static_cast<unsigned>(std::strtoul(argv[++i], &end, 10));
      if (*end != '\0' || scale == 0) return usage();
    } else if (std::strcmp(argv[i], "--raw") == 0 && has_value) {
      devices.raw = argv[++i];
    } else if (std::strcmp(argv[i], "--vmctl") == 0 && has_value) {
      devices.vmctl = argv[++i];
    } else {
      return usage();
    }
  }
  try {
    const auto lines = bench::measure(devices, scale);
    json ? print_json(lines) : print_table(lines);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench-exits: %s\n", failure.what());
    return 69;
  }
  return 0;
}
