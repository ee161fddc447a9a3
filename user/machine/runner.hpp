// SPDX-License-Identifier: GPL-2.0
// Lets a machine go and waits for its end: a thread for each vCPU, signals, the time limit.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "machine/machine.hpp"
#include "machine/stats.hpp"
#include "machine/trace_options.hpp"
#include "run/end_signals.hpp"

namespace vmctl {

struct RunOptions {
  std::optional<std::chrono::nanoseconds> timeout;
  TraceOptions trace;
  // Once so much time has passed without any output, say where the guest is; nothing: never.
  std::optional<std::chrono::nanoseconds> hint_when_silent;
  std::string hint;     // what may be the reason
  bool resets = false;  // a reset is not the end: then what is outside is only paused
  bool timed = false;   // measure the time in KVM_RUN where the kernel does not
};

struct RunOutcome {
  End end;
  std::chrono::nanoseconds elapsed{};
  std::vector<RunStats> vcpus;
  RunStats sum;
  std::vector<std::string> notes;  // what there is to say beside how it ended
};

// Signals end the machine.
Result<RunOutcome> run_machine(Machine& machine, const RunOptions& options,
                               const EndSignals& signals);

}  // namespace vmctl
