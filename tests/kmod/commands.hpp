// SPDX-License-Identifier: GPL-2.0-only
//
// KVM's commands by the kind of descriptor: those that kvmtool and QEMU call,
// which vmctl lets through, and those that it refuses.
#pragma once

#include <cstdint>

#include "kvm.hpp"

namespace t {

struct Command {
  const char* name;
  unsigned long number;
};

// Newer than the headers of Debian 12.
struct GuestMemfd {
  std::uint64_t size, flags, reserved[6];
};
constexpr unsigned long kCreateGuestMemfd = _IOWR(KVMIO, 0xd4, GuestMemfd);

// Begins as struct kvm_userspace_memory_region.
struct UserspaceMemoryRegion2 {
  __u32 slot, flags;
  __u64 guest_phys_addr, memory_size, userspace_addr, guest_memfd_offset;
  __u32 guest_memfd, pad1;
  __u64 pad2[14];
};
constexpr unsigned long kSetUserMemoryRegion2 = _IOW(KVMIO, 0x49, UserspaceMemoryRegion2);
constexpr long kCapUserMemory2 = 231;

// Stand for commands that are refused, or take descriptors of raw KVM.
constexpr long kHiddenExtensions[] = {
    KVM_CAP_DEVICE_CTRL,
    KVM_CAP_SGX_ATTRIBUTE,
    KVM_CAP_BINARY_STATS_FD,
    KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
    KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM,
    233,  // KVM_CAP_MEMORY_ATTRIBUTES
    234,  // KVM_CAP_GUEST_MEMFD
    244,  // KVM_CAP_GUEST_MEMFD_FLAGS
};

#define T_COMMAND(name) \
  { #name, name }

constexpr Command kSystemCommands[] = {
    T_COMMAND(KVM_GET_API_VERSION),
    T_COMMAND(KVM_CREATE_VM),
    T_COMMAND(KVM_CHECK_EXTENSION),
    T_COMMAND(KVM_GET_VCPU_MMAP_SIZE),
    T_COMMAND(KVM_GET_SUPPORTED_CPUID),
    T_COMMAND(KVM_GET_MSR_INDEX_LIST),
    T_COMMAND(KVM_GET_MSR_FEATURE_INDEX_LIST),
    T_COMMAND(KVM_GET_MSRS),
    T_COMMAND(KVM_GET_DEVICE_ATTR),
    T_COMMAND(KVM_X86_GET_MCE_CAP_SUPPORTED),
};

constexpr Command kVmCommands[] = {
    T_COMMAND(KVM_CHECK_EXTENSION),
    T_COMMAND(KVM_CREATE_VCPU),
    T_COMMAND(KVM_SET_USER_MEMORY_REGION),
    T_COMMAND(KVM_SET_TSS_ADDR),
    T_COMMAND(KVM_SET_IDENTITY_MAP_ADDR),
    T_COMMAND(KVM_CREATE_IRQCHIP),
    T_COMMAND(KVM_CREATE_PIT2),
    T_COMMAND(KVM_GET_PIT2),
    T_COMMAND(KVM_SET_PIT2),
    T_COMMAND(KVM_GET_IRQCHIP),
    T_COMMAND(KVM_SET_IRQCHIP),
    T_COMMAND(KVM_SET_GSI_ROUTING),
    T_COMMAND(KVM_IRQ_LINE),
    T_COMMAND(KVM_IRQ_LINE_STATUS),
    T_COMMAND(KVM_SIGNAL_MSI),
    T_COMMAND(KVM_IRQFD),
    T_COMMAND(KVM_IOEVENTFD),
    T_COMMAND(KVM_REGISTER_COALESCED_MMIO),
    T_COMMAND(KVM_UNREGISTER_COALESCED_MMIO),
    T_COMMAND(KVM_ENABLE_CAP),
    T_COMMAND(KVM_X86_SET_MSR_FILTER),
    T_COMMAND(KVM_GET_CLOCK),
    T_COMMAND(KVM_SET_CLOCK),
    T_COMMAND(KVM_GET_DIRTY_LOG),
};

constexpr Command kVcpuCommands[] = {
    T_COMMAND(KVM_RUN),
    T_COMMAND(KVM_GET_REGS),
    T_COMMAND(KVM_SET_REGS),
    T_COMMAND(KVM_GET_SREGS),
    T_COMMAND(KVM_SET_SREGS),
    T_COMMAND(KVM_GET_SREGS2),
    T_COMMAND(KVM_SET_SREGS2),
    T_COMMAND(KVM_GET_FPU),
    T_COMMAND(KVM_SET_FPU),
    T_COMMAND(KVM_GET_MSRS),
    T_COMMAND(KVM_SET_MSRS),
    T_COMMAND(KVM_SET_CPUID2),
    T_COMMAND(KVM_GET_LAPIC),
    T_COMMAND(KVM_SET_LAPIC),
    T_COMMAND(KVM_GET_XSAVE2),
    T_COMMAND(KVM_SET_XSAVE),
    T_COMMAND(KVM_GET_XCRS),
    T_COMMAND(KVM_SET_XCRS),
    T_COMMAND(KVM_GET_VCPU_EVENTS),
    T_COMMAND(KVM_SET_VCPU_EVENTS),
    T_COMMAND(KVM_GET_MP_STATE),
    T_COMMAND(KVM_SET_MP_STATE),
    T_COMMAND(KVM_GET_DEBUGREGS),
    T_COMMAND(KVM_SET_DEBUGREGS),
    T_COMMAND(KVM_GET_TSC_KHZ),
    T_COMMAND(KVM_SET_TSC_KHZ),
    T_COMMAND(KVM_X86_SETUP_MCE),
    T_COMMAND(KVM_TPR_ACCESS_REPORTING),
    T_COMMAND(KVM_SET_VAPIC_ADDR),
    T_COMMAND(KVM_KVMCLOCK_CTRL),
    T_COMMAND(KVM_GET_NESTED_STATE),
    T_COMMAND(KVM_SET_NESTED_STATE),
    T_COMMAND(KVM_NMI),
    T_COMMAND(KVM_SMI),
    T_COMMAND(KVM_SET_GUEST_DEBUG),
    T_COMMAND(KVM_SET_SIGNAL_MASK),
    T_COMMAND(KVM_ENABLE_CAP),
};

constexpr Command kRefusedOnVm[] = {
    T_COMMAND(KVM_CREATE_DEVICE),
    T_COMMAND(KVM_GET_STATS_FD),
    T_COMMAND(KVM_MEMORY_ENCRYPT_OP),
};

constexpr Command kRefusedOnVcpu[] = {
    T_COMMAND(KVM_GET_STATS_FD),
};

#undef T_COMMAND

}  // namespace t
