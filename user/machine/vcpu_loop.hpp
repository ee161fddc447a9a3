// SPDX-License-Identifier: GPL-2.0
// One vCPU's thread: run, count, trace, handle, again.
#pragma once

#include "machine/machine.hpp"
#include "machine/stats.hpp"
#include "machine/trace.hpp"

namespace vmctl {

class VcpuLoop {
 public:
  // `tracer` may be null; with `timed` the time in KVM_RUN is measured here.
  VcpuLoop(Machine& machine, const Vcpu& vcpu, Tracer* tracer, bool timed)
      : machine_(machine), vcpu_(vcpu), tracer_(tracer), timed_(timed) {}

  // Until the vCPU is done or the machine is to stop. What ended it stands in machine.ending().
  void run();

  const RunStats& stats() const { return stats_; }
  const Vcpu& vcpu() const { return vcpu_; }

 private:
  enum class Next { go_on, done };

  SysResult<Exit> run_once();
  Next handle(Exit& exit);
  Next handle_error(Errno error);
  void access(IoExit& io) const;
  void access(MmioExit& mmio) const;
  Next end(EndKind kind, Status status, std::string reason) const;

  Machine& machine_;
  const Vcpu& vcpu_;
  Tracer* tracer_;
  bool timed_;
  RunStats stats_;
};

}  // namespace vmctl
