// SPDX-License-Identifier: GPL-2.0
#include "machine/stepper.hpp"

namespace vmctl {

std::optional<CodeState> Stepper::state() const {
  const auto regs = vcpu_.regs();
  const auto sregs = vcpu_.sregs();
  if (!regs || !sregs) return std::nullopt;
  return CodeState{*regs, *sregs};
}

void Stepper::before() {
  // Without effect on a vCPU that was revoked: KVM_RUN will say so.
  static_cast<void>(vcpu_.single_step());
  last_ = state();
  at_ = last_ ? instruction_at_rip(address_space(vcpu_, memory_), *last_) : std::nullopt;
}

void Stepper::after() {
  const auto now = state();
  if (!last_ || !now) return;
  const TraceOptions& options = tracer_.options();
  if (options.shows(TraceKind::cr))
    for (const ControlChange& change : control_changes(last_->sregs, now->sregs))
      tracer_.control(vcpu_.id(), change, at_);
  const bool stepped = now->regs.rip != last_->regs.rip;
  if (options.shows(TraceKind::cpuid) && stepped && at_ && at_->text == "cpuid")
    tracer_.cpuid(vcpu_.id(), last_->regs, now->regs);
}

}  // namespace vmctl
