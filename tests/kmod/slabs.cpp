// SPDX-License-Identifier: GPL-2.0-only
#include "slabs.hpp"

#include <regex>

#include "sys.hpp"

namespace t {
namespace {

constexpr const char* kTraces = "/sys/kernel/debug/slab/";
constexpr const char* kVcpus = "/sys/kernel/slab/kvm_vcpu/";

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
    add_traces(slurp(kTraces + cache + "/alloc_traces"), held);
  }
  // Those in the CPUs' own lists count as used until the cache is shrunk.
  if (spit(std::string(kVcpus) + "shrink", "1")) {
    held["kvm_vcpu"] = std::atol(slurp(std::string(kVcpus) + "objects").c_str());
  }
  return held;
}

}  // namespace t
