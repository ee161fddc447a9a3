// SPDX-License-Identifier: GPL-2.0
// What --trace shows, a line for each event, as text or as JSON, on standard error.
#pragma once

#include <cstdint>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>

#include "bus/memory.hpp"
#include "console/output.hpp"
#include "kernel/kvm.hpp"
#include "machine/code.hpp"
#include "machine/control_registers.hpp"
#include "machine/trace_options.hpp"
#include "vm/exit.hpp"
#include "vm/vcpu.hpp"

namespace vmctl {

// Its functions may be called from any thread; lines stay whole.
class Tracer {
 public:
  // All it is given must outlive it. With `name_vcpus` lines say whose they are.
  Tracer(TraceOptions options, const GuestMemory& memory, const Ending& ending, int fd,
         bool name_vcpus)
      : options_(std::move(options)),
        memory_(memory),
        output_(fd, ending),
        name_vcpus_(name_vcpus) {}

  const TraceOptions& options() const { return options_; }

  // An exit that has been handled, before the guest goes on.
  void exit(const Vcpu& vcpu, const Exit& exit);

  // An interrupt line's new level; what the vCPU was given.
  void line(unsigned irq, bool level);
  void injected(std::uint32_t vcpu, std::uint8_t vector);

  // What a single step showed. `at` is the instruction that was stepped over, if it is known.
  void control(std::uint32_t vcpu, const ControlChange& change,
               const std::optional<Instruction>& at);
  // The registers before and after.
  void cpuid(std::uint32_t vcpu, const kvm_regs& before, const kvm_regs& after);

 private:
  bool wanted(const Exit& exit) const;
  // `text` or `json`, by the options.
  void write(const std::string& text, const nlohmann::json& json);
  void write_of(std::uint32_t vcpu, const std::string& text, nlohmann::json json);

  TraceOptions options_;
  const GuestMemory& memory_;
  std::mutex lock_;  // one line at a time
  Output output_;
  bool name_vcpus_;
};

}  // namespace vmctl
