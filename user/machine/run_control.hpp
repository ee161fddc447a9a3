// SPDX-License-Identifier: GPL-2.0
// The controls of a machine whose vCPUs run.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "console/machine_control.hpp"
#include "machine/machine.hpp"
#include "machine/vcpu_loop.hpp"
#include "run/brake.hpp"

namespace vmctl {

// While there is a KickHandler.
class RunControl final : public MachineControl {
 public:
  // All must outlive it.
  RunControl(Machine& machine, const std::deque<VcpuLoop>& loops, Brake& brake)
      : machine_(machine), loops_(loops), brake_(brake) {}

  std::string info() override;
  std::string registers() override;
  Result<std::string> dump(GuestAddr at, std::uint64_t length) override;
  bool pause() override;
  bool resume() override;
  Result<> nmi(std::uint32_t vcpu) override;
  Result<> power_down() override;
  void quit(const std::string& who) override;

  // "vCPU 0 at rip 0xfff0, 16-bit code; exits so far: IO 12, HLT 3".
  std::string whereabouts();

 private:
  class Held;

  void bring_out();
  void let_go();
  static bool is_out(const VcpuLoop& loop);

  Machine& machine_;
  const std::deque<VcpuLoop>& loops_;
  Brake& brake_;
  std::mutex lock_;      // one call at a time
  bool paused_ = false;  // by pause(); guarded by lock_
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace vmctl
