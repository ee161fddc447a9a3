// SPDX-License-Identifier: GPL-2.0
// One line for each exit, as text or as JSON.
#pragma once

#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "machine/output.hpp"
#include "vm/exit.hpp"

namespace vmctl {

// "KVM_EXIT_IO out port 0x3f8 size 1 count 1 data 0x34 '4' rip 0x1007"
std::string format_exit(const Exit& exit, std::optional<std::uint64_t> rip);

nlohmann::json exit_to_json(const Exit& exit, std::optional<std::uint64_t> rip);

class Tracer {
 public:
  Tracer(const Ending& ending, int fd, bool json, bool name_vcpu)
      : output_(fd, ending), json_(json), name_vcpu_(name_vcpu) {}

  // May be called from any thread; lines stay whole.
  void trace(std::uint32_t vcpu, const Exit& exit, std::optional<std::uint64_t> rip);

 private:
  std::mutex lock_;  // one line at a time
  Output output_;
  bool json_;
  bool name_vcpu_;
};

}  // namespace vmctl
