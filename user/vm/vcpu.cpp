// SPDX-License-Identifier: GPL-2.0
#include "vm/vcpu.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <vector>

#include "kernel/quota.hpp"
#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kFlagsReserved = 0x2;  // bit 1 of rflags is always set

// Intel SDM 3A: 3.4.5.1, both accessed; 2.5; 2.2.1.
constexpr std::uint8_t kTypeCode = 0xb;
constexpr std::uint8_t kTypeData = 0x3;
constexpr std::uint64_t kCr0Protected = 0x11;  // PE, ET
constexpr std::uint64_t kCr0Paging = 0x80000000;
constexpr std::uint64_t kCr4Pae = 0x20;
constexpr std::uint64_t kEferLongMode = 0x500;  // LME, LMA

}  // namespace

Result<> Vcpu::set(const kvm_sregs& sregs, kvm_regs regs,
                   std::span<const RegisterValue> values) const {
  kvm_sregs own = sregs;
  if (auto done = call(fd_, ioc::set_sregs, own); !done)
    return fail(explain_charged(ioc::set_sregs.name, done.error()));
  for (const RegisterValue& value : values) regs.*value.member = value.value;
  regs.rflags |= kFlagsReserved;
  if (auto done = call(fd_, ioc::set_regs, regs); !done)
    return fail(explain(ioc::set_regs.name, done.error()));
  return {};
}

Result<> Vcpu::reset(RealModeEntry entry, std::span<const RegisterValue> values) const {
  kvm_sregs sregs = TRY(this->sregs());
  sregs.cs.base = entry.base();
  sregs.cs.selector = entry.selector;
  kvm_regs regs{};
  regs.rip = entry.ip;
  return set(sregs, regs, values);
}

Result<> Vcpu::reset(const FlatStart& start, std::span<const RegisterValue> values) const {
  kvm_sregs sregs = TRY(this->sregs());
  const auto segment = [](std::uint16_t selector, std::uint8_t type) {
    kvm_segment flat{};
    flat.limit = 0xffffffff;
    flat.selector = selector;
    flat.type = type;
    flat.present = 1;
    flat.s = 1;
    flat.g = 1;
    return flat;
  };
  sregs.cs = segment(start.code_selector, kTypeCode);
  sregs.cs.l = start.long_mode ? 1 : 0;
  sregs.cs.db = start.long_mode ? 0 : 1;
  sregs.ds = segment(start.data_selector, kTypeData);
  sregs.ds.db = 1;
  sregs.es = sregs.fs = sregs.gs = sregs.ss = sregs.ds;
  sregs.gdt = start.gdt;
  sregs.cr0 = kCr0Protected;
  if (start.long_mode) {
    sregs.cr0 |= kCr0Paging;
    sregs.cr3 = start.page_table.value;
    sregs.cr4 = kCr4Pae;
    sregs.efer = kEferLongMode;
  }
  return set(sregs, start.regs, values);
}

SysResult<Exit> Vcpu::run() const {
  if (const auto done = call(fd_, ioc::run); !done) {
    // One exit comes with an error (api.rst 5, KVM_EXIT_MEMORY_FAULT).
    const int code = done.error().code;
    if (code == EFAULT || code == EHWPOISON) {
      Exit exit = decode_exit(run_page_.bytes());
      if (std::holds_alternative<MemoryFaultExit>(exit)) return exit;
    }
    return tl::unexpected<Errno>(done.error());
  }
  return decode_exit(run_page_.bytes());
}

void Vcpu::set_immediate_exit(bool value) const {
  std::uint8_t& flag = run_page_.bytes()[offsetof(kvm_run, immediate_exit)];
  std::atomic_ref<std::uint8_t>(flag).store(value ? 1 : 0);
}

bool Vcpu::ready_for_interrupt() const {
  return run_page_.bytes()[offsetof(kvm_run, ready_for_interrupt_injection)] != 0;
}

bool Vcpu::interrupts_enabled() const {
  return run_page_.bytes()[offsetof(kvm_run, if_flag)] != 0;
}

void Vcpu::request_interrupt_window(bool value) const {
  run_page_.bytes()[offsetof(kvm_run, request_interrupt_window)] = value ? 1 : 0;
}

SysResult<int> Vcpu::interrupt(std::uint8_t vector) const {
  kvm_interrupt request{.irq = vector};
  return call(fd_, ioc::interrupt, request);
}

Result<> Vcpu::nmi() const {
  if (auto done = call(fd_, ioc::nmi); !done) return fail(explain(ioc::nmi.name, done.error()));
  return {};
}

void Vcpu::tell_of_pause() const {
  static_cast<void>(call(fd_, ioc::kvmclock_ctrl));
}

SysResult<int> Vcpu::single_step() const {
  kvm_guest_debug request{};
  request.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
  return call(fd_, ioc::set_guest_debug, request);
}

Result<> Vcpu::set_cpuid(const Cpuid& cpuid) const {
  std::vector<std::uint64_t> buffer(
      (sizeof(kvm_cpuid2) + cpuid.size() * sizeof cpuid[0]) / sizeof(std::uint64_t) + 1);
  auto* header = reinterpret_cast<kvm_cpuid2*>(buffer.data());
  header->nent = static_cast<__u32>(cpuid.size());
  std::memcpy(header + 1, cpuid.data(), cpuid.size() * sizeof cpuid[0]);
  if (auto done = call(fd_, ioc::set_cpuid2, *header); !done)
    return fail(explain_charged(ioc::set_cpuid2.name, done.error()));
  return {};
}

Result<> Vcpu::connect_local_apic() const {
  // Intel SDM 3A, 10.5.1: offsets and delivery modes of the local vector table.
  constexpr std::size_t kLint0 = 0x350;
  constexpr std::size_t kLint1 = 0x360;
  constexpr std::uint32_t kExtInt = 7U << 8;
  constexpr std::uint32_t kNmi = 4U << 8;
  kvm_lapic_state state{};
  if (auto done = call(fd_, ioc::get_lapic, state); !done)
    return fail(explain(ioc::get_lapic.name, done.error()));
  if (id_ == 0) std::memcpy(state.regs + kLint0, &kExtInt, sizeof kExtInt);
  std::memcpy(state.regs + kLint1, &kNmi, sizeof kNmi);
  if (auto done = call(fd_, ioc::set_lapic, state); !done)
    return fail(explain(ioc::set_lapic.name, done.error()));
  return {};
}

void Vcpu::set_memory_types(std::uint64_t uncached, unsigned address_bits) const {
  // Intel SDM 3A, 11.11: the default type write-back, one range that is not to be cached; 2.1:
  // string instructions are fast.
  constexpr std::uint32_t kMiscEnable = 0x1a0;
  constexpr std::uint32_t kRangeBase = 0x200;
  constexpr std::uint32_t kRangeMask = 0x201;
  constexpr std::uint32_t kDefaultType = 0x2ff;
  constexpr std::uint64_t k4GiB = 1ULL << 32;
  constexpr std::uint64_t kValid = 1U << 11;
  constexpr std::uint64_t kEnable = 1U << 11;
  constexpr std::uint64_t kWriteBack = 6;
  const std::uint64_t addresses = (1ULL << address_bits) - 1;
  const std::array<kvm_msr_entry, 4> values{{
      {.index = kMiscEnable, .reserved = 0, .data = 1},
      {.index = kRangeBase, .reserved = 0, .data = uncached},
      {.index = kRangeMask, .reserved = 0, .data = (addresses & ~(k4GiB - uncached - 1)) | kValid},
      {.index = kDefaultType, .reserved = 0, .data = kEnable | kWriteBack},
  }};
  for (const kvm_msr_entry& value : values) {
    struct {
      kvm_msrs header;
      kvm_msr_entry entry;
    } request{};
    request.header.nmsrs = 1;
    request.entry = value;
    static_cast<void>(call(fd_, ioc::set_msrs, request.header));
  }
}

std::optional<std::uint32_t> Vcpu::tsc_khz() const {
  const auto khz = call(fd_, ioc::get_tsc_khz);
  if (!khz || *khz <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(*khz);
}

bool Vcpu::lies_still() const {
  constexpr std::uint64_t kInterruptFlag = 1U << 9;
  kvm_mp_state state{};
  if (!call(fd_, ioc::get_mp_state, state)) return false;
  if (state.mp_state == KVM_MP_STATE_UNINITIALIZED) return true;
  if (state.mp_state != KVM_MP_STATE_HALTED) return false;
  const auto registers = regs();
  return registers && (registers->rflags & kInterruptFlag) == 0;
}

Result<kvm_regs> Vcpu::regs() const {
  kvm_regs regs{};
  if (auto done = call(fd_, ioc::get_regs, regs); !done)
    return fail(explain(ioc::get_regs.name, done.error()));
  return regs;
}

Result<kvm_sregs> Vcpu::sregs() const {
  kvm_sregs sregs{};
  if (auto done = call(fd_, ioc::get_sregs, sregs); !done)
    return fail(explain(ioc::get_sregs.name, done.error()));
  return sregs;
}

std::optional<GuestAddr> Vcpu::translate(std::uint64_t linear) const {
  kvm_translation translation{};
  translation.linear_address = linear;
  if (!call(fd_, ioc::translate, translation) || translation.valid == 0) return std::nullopt;
  return GuestAddr{translation.physical_address};
}

Result<vmctl_stats> Vcpu::stats() const {
  vmctl_stats stats{};
  stats.vcpu = VMCTL_ALL_VCPUS;
  if (auto done = call(fd_, ioc::vmctl_get_stats, stats); !done)
    return fail(explain(ioc::vmctl_get_stats.name, done.error()));
  return stats;
}

}  // namespace vmctl
