// SPDX-License-Identifier: GPL-2.0-only
//
// The cost of single commands, raw and through vmctl, in ticks of the TSC. The
// two take turns, so that what disturbs the one disturbs the other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct Cost {
  std::uint64_t median = 0;
  std::uint64_t mode = 0;  // the most frequent, the least of them where there are several
  std::uint64_t least = 0;
};

struct Line {
  std::string name;
  Cost raw;
  Cost vmctl;
  std::size_t rounds = 0;

  [[nodiscard]] double ratio() const {
    return static_cast<double>(vmctl.median) / static_cast<double>(raw.median);
  }
};

struct Devices {
  std::string raw = "/dev/kvm";
  std::string vmctl = "/dev/vmctl";
};

Cost cost_of(std::vector<std::uint64_t> ticks);

// A port-out exit of KVM_RUN, two short commands, and the making of VMs and
// vCPUs. `scale` multiplies the rounds. Throws std::runtime_error with the
// command that failed.
std::vector<Line> measure(const Devices& devices, unsigned scale = 1);

// Whether a tick is an instruction here (QEMU's -icount shift=0).
bool ticks_are_instructions();

}  // namespace bench
