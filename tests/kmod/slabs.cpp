// SPDX-License-Identifier: GPL-2.0-only
#include "slabs.hpp"

#include <cstdlib>
#include <regex>

#include "sys.hpp"

namespace t {
namespace {

const std::string kTraces = "/sys/kernel/debug/slab/";
const std::string kCaches = "/sys/kernel/slab/";

// What KASAN holds back of the freed, and the CPUs in lists of their own, counts as used before.
bool shrink(const std::string& cache) {
  return spit(kCaches + cache + "/shrink", "1");
}

// "     12 vm_alloc+0x3a/0x1f0 [vmctl] age=…"; what is indented further is the way there.
void add_traces(const std::string& text, std::map<std::string, long>& held) {
  static const std::regex form(R"(^ *(\d+) ([^+ ]+)\+\S+ \[(vmctl|kvm|kvm_amd)\] .*)");
  for (const std::string& line : lines_of(text)) {
    std::smatch part;
    if (std::regex_match(line, part, form) && part[2] != "airlock_make") {
      held[part[3].str() + ": " + part[2].str()] += std::stol(part[1]);
    }
  }
}

}  // namespace

std::map<std::string, long> held_objects() {
  std::map<std::string, long> held;
  for (const std::string& cache : entries_of(kTraces)) {
    const std::string file = kTraces + cache + "/alloc_traces";
    const std::string text = slurp(file);
    if (text.find(" [vmctl] ") == std::string::npos && text.find(" [kvm") == std::string::npos) {
      continue;
    }
    shrink(cache);
    add_traces(slurp(file), held);
  }
  if (shrink("kvm_vcpu")) {
    held["kvm_vcpu"] = std::atol(slurp(kCaches + "kvm_vcpu/objects").c_str());
  }
  return held;
}

}  // namespace t
