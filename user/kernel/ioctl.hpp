// SPDX-License-Identifier: GPL-2.0
// ioctl() with the argument's type bound to the command's number at compile time.
#pragma once

#include <linux/vmctl.h>
#include "kernel/kvm.hpp"

#include <cstdint>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace vmctl {

// A system call's failure, before someone who knows the circumstances explains it.
struct Errno {
  int code;
};

template <class T>
using SysResult = tl::expected<T, Errno>;

// A command whose argument is a number, or nothing.
struct ValueCommand {
  std::uint32_t number;
  std::string_view name;
};

// A command whose argument is a structure.
template <class Arg>
struct Command {
  consteval Command(std::uint32_t command_number, std::string_view command_name)
      : number(command_number), name(command_name) {
    if (_IOC_SIZE(command_number) != sizeof(Arg)) throw "the number names another structure";
  }
  std::uint32_t number;
  std::string_view name;
};

namespace detail {
SysResult<int> ioctl(int fd, std::uint32_t number, void* argument);
}

inline SysResult<int> call(const Fd& fd, ValueCommand command, std::uint64_t value = 0) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the argument of ioctl() is a word.
  return detail::ioctl(fd.get(), command.number, reinterpret_cast<void*>(value));
}

template <class Arg>
SysResult<int> call(const Fd& fd, Command<Arg> command, Arg& argument) {
  return detail::ioctl(fd.get(), command.number, &argument);
}

#define VMCTL_VALUE_COMMAND(id, number) \
  inline constexpr ValueCommand id {    \
    number, #number                     \
  }
#define VMCTL_COMMAND(id, number, Arg) \
  inline constexpr Command<Arg> id {   \
    number, #number                    \
  }

namespace ioc {
VMCTL_VALUE_COMMAND(get_api_version, KVM_GET_API_VERSION);
VMCTL_VALUE_COMMAND(check_extension, KVM_CHECK_EXTENSION);
VMCTL_VALUE_COMMAND(get_vcpu_mmap_size, KVM_GET_VCPU_MMAP_SIZE);
VMCTL_VALUE_COMMAND(create_vm, KVM_CREATE_VM);
VMCTL_VALUE_COMMAND(create_vcpu, KVM_CREATE_VCPU);
VMCTL_VALUE_COMMAND(set_tss_addr, KVM_SET_TSS_ADDR);
VMCTL_VALUE_COMMAND(run, KVM_RUN);
VMCTL_VALUE_COMMAND(create_irqchip, KVM_CREATE_IRQCHIP);
VMCTL_VALUE_COMMAND(get_tsc_khz, KVM_GET_TSC_KHZ);
VMCTL_VALUE_COMMAND(nmi, KVM_NMI);
VMCTL_VALUE_COMMAND(kvmclock_ctrl, KVM_KVMCLOCK_CTRL);
VMCTL_COMMAND(set_identity_map_addr, KVM_SET_IDENTITY_MAP_ADDR, __u64);
VMCTL_COMMAND(set_user_memory_region, KVM_SET_USER_MEMORY_REGION, kvm_userspace_memory_region);
VMCTL_COMMAND(get_regs, KVM_GET_REGS, kvm_regs);
VMCTL_COMMAND(set_regs, KVM_SET_REGS, kvm_regs);
VMCTL_COMMAND(get_sregs, KVM_GET_SREGS, kvm_sregs);
VMCTL_COMMAND(set_sregs, KVM_SET_SREGS, kvm_sregs);
VMCTL_COMMAND(enable_cap, KVM_ENABLE_CAP, kvm_enable_cap);
VMCTL_COMMAND(create_pit2, KVM_CREATE_PIT2, kvm_pit_config);
VMCTL_COMMAND(set_gsi_routing, KVM_SET_GSI_ROUTING, kvm_irq_routing);
VMCTL_COMMAND(get_lapic, KVM_GET_LAPIC, kvm_lapic_state);
VMCTL_COMMAND(set_lapic, KVM_SET_LAPIC, kvm_lapic_state);
VMCTL_COMMAND(set_msrs, KVM_SET_MSRS, kvm_msrs);
VMCTL_COMMAND(get_mp_state, KVM_GET_MP_STATE, kvm_mp_state);
VMCTL_COMMAND(irqfd, KVM_IRQFD, kvm_irqfd);
VMCTL_COMMAND(ioeventfd, KVM_IOEVENTFD, kvm_ioeventfd);
VMCTL_COMMAND(irq_line, KVM_IRQ_LINE, kvm_irq_level);
VMCTL_COMMAND(interrupt, KVM_INTERRUPT, kvm_interrupt);
VMCTL_COMMAND(get_supported_cpuid, KVM_GET_SUPPORTED_CPUID, kvm_cpuid2);
VMCTL_COMMAND(set_cpuid2, KVM_SET_CPUID2, kvm_cpuid2);
VMCTL_COMMAND(set_msr_filter, KVM_X86_SET_MSR_FILTER, kvm_msr_filter);
VMCTL_COMMAND(set_guest_debug, KVM_SET_GUEST_DEBUG, kvm_guest_debug);
VMCTL_COMMAND(translate, KVM_TRANSLATE, kvm_translation);
VMCTL_COMMAND(vmctl_get_info, VMCTL_GET_INFO, vmctl_info);
VMCTL_COMMAND(vmctl_create_vm, VMCTL_CREATE_VM, vmctl_create_vm);
VMCTL_COMMAND(vmctl_load_image, VMCTL_LOAD_IMAGE, vmctl_load_image);
VMCTL_COMMAND(vmctl_get_stats, VMCTL_GET_STATS, vmctl_stats);
VMCTL_COMMAND(vmctl_revoke_vm, VMCTL_REVOKE_VM, vmctl_revoke_vm);
VMCTL_COMMAND(vmctl_get_limits, VMCTL_GET_LIMITS, vmctl_limits);
VMCTL_COMMAND(vmctl_set_limits, VMCTL_SET_LIMITS, vmctl_limits);
VMCTL_COMMAND(vmctl_get_command, VMCTL_GET_COMMAND, vmctl_command);
VMCTL_COMMAND(vmctl_get_event, VMCTL_GET_EVENT, vmctl_event);
}  // namespace ioc

#undef VMCTL_VALUE_COMMAND
#undef VMCTL_COMMAND

// What a refused command means to the user. `name` is the command's own.
Error explain(std::string_view name, Errno error);

}  // namespace vmctl
