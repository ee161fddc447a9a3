// SPDX-License-Identifier: GPL-2.0
// One vCPU's thread: run, count, handle, trace, again.
#pragma once

#include <pthread.h>

#include <atomic>
#include <functional>
#include <optional>

#include "machine/machine.hpp"
#include "machine/stats.hpp"
#include "machine/stepper.hpp"
#include "machine/tracer.hpp"
#include "run/brake.hpp"

namespace vmctl {

class VcpuLoop {
 public:
  struct Options {
    Tracer* tracer = nullptr;        // may be none
    const Brake* brake = nullptr;    // likewise
    bool timed = false;              // measure the time in KVM_RUN here
    Pic* pic = nullptr;              // whose interrupts this vCPU takes; may be none
    std::function<bool()> may_wake;  // with a pic: whether a halted vCPU may yet be woken
  };
  VcpuLoop(Machine& machine, const Vcpu& vcpu, Options options);

  // Until the vCPU is done or the machine is to stop. What ended it stands in machine.ending().
  void run();

  // Brings the vCPU out of KVM_RUN, or keeps it from going in once, so that it looks for
  // interrupts. Does nothing on its own thread. While there is a KickHandler.
  void kick() const;

  // Exits so far, but those that a kick made. May be called from any thread.
  std::uint64_t turns() const { return turns_.load(std::memory_order_relaxed); }
  // Asks, by a kick, whether the vCPU lies still (Vcpu::lies_still); the answer comes soon after.
  // With KVM's own interrupt controllers.
  void look();
  bool lies_still() const { return still_; }

  // What its thread does. Only when it runs may it be in KVM_RUN, where it keeps what vCPU ioctls
  // need; who wants it out pulls the brake, kicks, and looks again.
  enum class State : std::uint8_t { runs, halted, paused, done };
  State state() const { return state_; }

  const RunStats& stats() const { return stats_; }
  const Vcpu& vcpu() const { return vcpu_; }

 private:
  enum class Next { go_on, done };

  Next step();
  SysResult<Exit> run_once();
  void inject();
  Next handle(Exit& exit);
  Next handle_error(Errno error);
  void access(IoExit& io) const;
  Next access(MmioExit& mmio) const;
  void access(MsrExit& msr) const;
  Next halt() const;
  Next end(EndKind kind, Status status, std::string reason) const;

  Machine& machine_;
  const Vcpu& vcpu_;
  Options options_;
  std::optional<Stepper> stepper_;
  bool window_ = false;                // an interrupt window was asked for
  std::atomic<pthread_t> thread_ = 0;  // while run() runs
  std::atomic<std::uint64_t> turns_ = 0;
  std::atomic<bool> asked_ = false;
  std::atomic<bool> still_ = false;
  mutable std::atomic<State> state_ = State::runs;
  RunStats stats_;
};

}  // namespace vmctl
