// SPDX-License-Identifier: GPL-2.0
// One virtual CPU: its fd and its run page.
#pragma once

#include <linux/vmctl.h>
#include "kernel/kvm.hpp"

#include <cstdint>
#include <optional>
#include <span>

#include "base/fd.hpp"
#include "base/mapping.hpp"
#include "base/result.hpp"
#include "kernel/ioctl.hpp"
#include "vm/cpuid.hpp"
#include "vm/exit.hpp"
#include "vm/real_mode.hpp"
#include "vm/registers.hpp"

namespace vmctl {

// Flat 4 GiB segments, interrupts off, in protected mode without paging; or in long mode.
struct FlatStart {
  bool long_mode = false;
  kvm_regs regs{};
  std::uint16_t code_selector = 0;
  std::uint16_t data_selector = 0;
  kvm_dtable gdt{};
  GuestAddr page_table;  // for long mode
};

class Vcpu {
 public:
  Vcpu(std::uint32_t id, Fd fd, Mapping run_page)
      : id_(id), fd_(std::move(fd)), run_page_(std::move(run_page)) {}

  std::uint32_t id() const { return id_; }

  // Real mode at `entry`, flags clear, general registers zero but for `values`.
  Result<> reset(RealModeEntry entry, std::span<const RegisterValue> values) const;

  // The same for a guest that starts in protected or long mode.
  Result<> reset(const FlatStart& start, std::span<const RegisterValue> values) const;

  // Runs until the next exit. EINTR (a kick, a signal) and EAGAIN are for the caller to take as
  // "look around and go on". The spans of the exit hold until the next run().
  SysResult<Exit> run() const;

  // While it is set run() comes back at once with EINTR. May be called from any thread.
  void set_immediate_exit(bool value) const;

  // Without KVM's own interrupt controllers only. Whether the guest takes an interrupt now, and
  // whether it takes interrupts at all (IF): as of the last exit.
  bool ready_for_interrupt() const;
  bool interrupts_enabled() const;
  // Ask for an exit as soon as it takes one (KVM_EXIT_IRQ_WINDOW_OPEN).
  void request_interrupt_window(bool value) const;
  // The guest must be ready for it.
  SysResult<int> interrupt(std::uint8_t vector) const;

  // KVM_NMI. Like all but set_immediate_exit() this waits for KVM_RUN to come back.
  Result<> nmi() const;
  // That it was kept from running, for a guest with kvmclock; others take no notice.
  void tell_of_pause() const;

  // An exit after each instruction (KVM_EXIT_DEBUG); to be asked for anew after every other exit.
  SysResult<int> single_step() const;

  Result<> set_cpuid(const Cpuid& cpuid) const;

  // With KVM's own interrupt controllers only. The local APIC's lines as firmware leaves them: the
  // 8259As on LINT0 of the first vCPU, NMI on LINT1.
  Result<> connect_local_apic() const;
  // Memory types as firmware leaves them, write-back but for [uncached, 4 GiB); what KVM does not
  // know of it is left out.
  void set_memory_types(std::uint64_t uncached, unsigned address_bits) const;
  // kHz; nothing if KVM cannot tell.
  std::optional<std::uint32_t> tsc_khz() const;
  // Halted with interrupts off, or never started: another vCPU or an NMI may wake it, nothing else.
  // With KVM's own interrupt controllers, and on the thread that runs it.
  bool lies_still() const;

  Result<kvm_regs> regs() const;
  Result<kvm_sregs> sregs() const;
  // Guest physical address of a linear one; nothing where the guest has no page for it.
  std::optional<GuestAddr> translate(std::uint64_t linear) const;

  // vmctl only.
  Result<vmctl_stats> stats() const;

 private:
  Result<> set(const kvm_sregs& sregs, kvm_regs regs, std::span<const RegisterValue> values) const;

  std::uint32_t id_;
  Fd fd_;
  Mapping run_page_;
};

}  // namespace vmctl
