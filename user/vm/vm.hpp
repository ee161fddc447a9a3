// SPDX-License-Identifier: GPL-2.0
// A virtual machine of KVM's, made through either node.
#pragma once

#include <linux/vmctl.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "base/event.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "bus/memory.hpp"
#include "kernel/node.hpp"
#include "vm/irq_routes.hpp"
#include "vm/msr.hpp"
#include "vm/vcpu.hpp"

namespace vmctl {

using Digest = std::array<std::uint8_t, VMCTL_SHA256_SIZE>;

struct VmOptions {
  std::string name;       // seen in the table and the log of vmctl; raw KVM has no place for it
  bool time_run = false;  // vmctl measures the time in KVM_RUN
};

class Vm {
 public:
  // `node` must outlive the VM.
  static Result<Vm> create(const Node& node, const VmOptions& options);

  // Where KVM keeps its own pages on Intel processors without unrestricted guest mode.
  Result<> place_kvm_pages(GuestAddr tss, GuestAddr identity_map) const;
  // `read_only`: whole pages within the memory, which do not overlap (KVM_MEM_READONLY); a write of
  // the guest there is an MmioExit.
  Result<> add_memory(const GuestMemory& memory, std::span<const MemoryRange> read_only = {}) const;

  // vmctl only: the kernel reads `length` bytes of the file into guest memory and measures them.
  SysResult<Digest> load_image(const Fd& file, std::uint64_t offset, std::uint64_t length,
                               GuestAddr gpa) const;

  // KVM's own pair of 8259As, IOAPIC and local APICs; before the first vCPU.
  Result<> create_irqchip() const;
  // KVM's own 8254, on their line 0, with port 0x61; after them.
  Result<> create_pit() const;
  // What leads where, in place of what was set before.
  Result<> route_interrupts(std::span<const kvm_irq_routing_entry> routes) const;
  // A line of theirs. May be called from any thread.
  SysResult<int> set_irq_line(std::uint32_t irq, bool level) const;
  // Each write to this eventfd raises the interrupt that is routed from `gsi` (KVM_IRQFD).
  SysResult<int> raise_by(const Event& event, std::uint32_t gsi) const;
  // Whether a guest's write to `address`, of any width, is one to the eventfd instead of an exit
  // (KVM_IOEVENTFD).
  SysResult<int> write_sets(const Event& event, GuestAddr address, bool on) const;

  // What the filter names exits from now on.
  Result<> filter_msrs(MsrFilter& filter) const;

  Result<Vcpu> create_vcpu(std::uint32_t id) const;

  bool is_vmctl() const { return id_ != 0; }
  // vmctl's id; 0 on raw KVM.
  std::uint32_t id() const { return id_; }

  // The sum over all vCPUs; vmctl only.
  Result<vmctl_stats> stats() const;

 private:
  Vm(Fd fd, std::uint32_t id, std::size_t run_size)
      : fd_(std::move(fd)), id_(id), run_size_(run_size) {}

  Result<> add_slot(std::uint32_t slot, const MemoryRegion& region, bool read_only) const;

  Fd fd_;
  std::uint32_t id_;
  std::size_t run_size_;
};

}  // namespace vmctl
