// SPDX-License-Identifier: GPL-2.0
// Watches one vCPU instruction by instruction, for what KVM does without an exit: CPUID and changes
// of control registers. Slow: an exit and several commands for each instruction.
#pragma once

#include <optional>

#include "machine/code.hpp"
#include "machine/tracer.hpp"
#include "vm/vcpu.hpp"

namespace vmctl {

class Stepper {
 public:
  Stepper(const Vcpu& vcpu, const GuestMemory& memory, Tracer& tracer)
      : vcpu_(vcpu), memory_(memory), tracer_(tracer) {}

  // Around each KVM_RUN.
  void before();
  void after();

 private:
  std::optional<CodeState> state() const;

  const Vcpu& vcpu_;
  const GuestMemory& memory_;
  Tracer& tracer_;
  std::optional<CodeState> last_;  // before the step
  std::optional<Instruction> at_;  // what is stepped over
};

}  // namespace vmctl
