// SPDX-License-Identifier: GPL-2.0
// One virtual CPU: its fd and its run page.
#pragma once

#include <linux/kvm.h>
#include <linux/vmctl.h>

#include <cstdint>
#include <optional>
#include <span>

#include "base/fd.hpp"
#include "base/mapping.hpp"
#include "base/result.hpp"
#include "kernel/ioctl.hpp"
#include "vm/exit.hpp"
#include "vm/real_mode.hpp"
#include "vm/registers.hpp"

namespace vmctl {

class Vcpu {
 public:
  Vcpu(std::uint32_t id, Fd fd, Mapping run_page)
      : id_(id), fd_(std::move(fd)), run_page_(std::move(run_page)) {}

  std::uint32_t id() const { return id_; }

  // Real mode at `entry`, flags clear, general registers zero but for `values`.
  Result<> reset(RealModeEntry entry, std::span<const RegisterValue> values) const;

  // Runs until the next exit. EINTR (a kick, a signal) and EAGAIN are for the caller to take as
  // "look around and go on". The spans of the exit hold until the next run().
  SysResult<Exit> run() const;

  // While it is set run() comes back at once with EINTR. May be called from any thread.
  void set_immediate_exit(bool value) const;

  Result<kvm_regs> regs() const;
  Result<kvm_sregs> sregs() const;
  // Guest physical address of a linear one; nothing where the guest has no page for it.
  std::optional<GuestAddr> translate(std::uint64_t linear) const;

  // vmctl only.
  Result<vmctl_stats> stats() const;

 private:
  std::uint32_t id_;
  Fd fd_;
  Mapping run_page_;
};

}  // namespace vmctl
