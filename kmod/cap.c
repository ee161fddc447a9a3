// SPDX-License-Identifier: GPL-2.0
/*
 * Capabilities: what KVM says that it can, and what may be switched on.
 */
#include <linux/bits.h>
#include <linux/kvm.h>

#include "cap.h"
#include "desk.h"
#include "nested.h"
#include "table.h"
#include "vmctl.h"
#include "xen.h"

/*
 * What KVM_ENABLE_CAP may switch on, each in the caller's own VM alone. Others
 * take fds of other VMs or of SGX, or came after this was written.
 */
static bool may_be_enabled(u32 cap)
{
	switch (cap) {
	case KVM_CAP_DIRTY_LOG_RING:
	case KVM_CAP_DISABLE_QUIRKS:
	case KVM_CAP_DISABLE_QUIRKS2:
	case KVM_CAP_ENFORCE_PV_FEATURE_CPUID:
	case KVM_CAP_EXCEPTION_PAYLOAD:
	case KVM_CAP_EXIT_HYPERCALL:
	case KVM_CAP_EXIT_ON_EMULATION_FAILURE:
	case KVM_CAP_HALT_POLL:
	case KVM_CAP_HYPERV_DIRECT_TLBFLUSH:
	case KVM_CAP_HYPERV_ENFORCE_CPUID:
	case KVM_CAP_HYPERV_ENLIGHTENED_VMCS:
	case KVM_CAP_HYPERV_SYNIC:
	case KVM_CAP_HYPERV_SYNIC2:
	case KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2:
	case KVM_CAP_MAX_VCPU_ID:
	case KVM_CAP_MSR_PLATFORM_INFO:
	case KVM_CAP_PMU_CAPABILITY:
	case KVM_CAP_SPLIT_IRQCHIP:
	case KVM_CAP_VM_DISABLE_NX_HUGE_PAGES:
	case KVM_CAP_X2APIC_API:
	case KVM_CAP_X86_BUS_LOCK_EXIT:
	case KVM_CAP_X86_DISABLE_EXITS:
	case KVM_CAP_X86_NOTIFY_VMEXIT:
	case KVM_CAP_X86_TRIPLE_FAULT_EVENT:
	case KVM_CAP_X86_USER_SPACE_MSR:
#ifdef KVM_CAP_DIRTY_LOG_RING_ACQ_REL
	case KVM_CAP_DIRTY_LOG_RING_ACQ_REL:
#endif
#ifdef KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP
	case KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP:
#endif
#ifdef KVM_CAP_X86_APIC_BUS_CYCLES_NS
	case KVM_CAP_X86_APIC_BUS_CYCLES_NS:
#endif
		return true;
	}
	return false;
}

static bool kvm_has(struct vmctl_vm *vm, u32 cap)
{
	long ret;

	/* The VM file may be closed while a vCPU asks. */
	if (!vmctl_port_enter(&vm->port))
		return true;
	ret = vmctl_kvm_ioctl(vm->port.kvm, KVM_CHECK_EXTENSION, cap, false);
	vmctl_port_leave(&vm->port);
	return ret > 0;
}

static int check(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_enable_cap *enable = desk->data;

	if (may_be_enabled(enable->cap))
		return 0;
	/* What KVM does not know either is no matter of policy. */
	return kvm_has(call->vm, enable->cap) ? vmctl_refuse(call) : -EINVAL;
}

/**
 * vmctl_cap_enable - KVM_ENABLE_CAP
 * @call: on the VM or vCPU fd
 *
 * Return: as vmctl_desk_call(); -EPERM: not this one.
 */
long vmctl_cap_enable(struct vmctl_call *call)
{
	return vmctl_desk_call(call, sizeof(struct kvm_enable_cap), check);
}

static bool is_hidden(const struct vmctl_call *call)
{
	switch (call->arg) {
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_SGX_ATTRIBUTE:
	case KVM_CAP_VM_COPY_ENC_CONTEXT_FROM:
	case KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM:
#ifdef KVM_CAP_GUEST_MEMFD
	case KVM_CAP_GUEST_MEMFD:
	case KVM_CAP_MEMORY_ATTRIBUTES:
#endif
#ifdef KVM_CAP_GUEST_MEMFD_FLAGS
	case KVM_CAP_GUEST_MEMFD_FLAGS:
#endif
		return true;
	case KVM_CAP_NESTED_STATE:
		return vmctl_nested_hidden();
	}
	return false;
}

/* KVM_CHECK_EXTENSION. What is refused is not there: who asks first does without. */
long vmctl_cap_check(struct vmctl_call *call)
{
	long ret;

	if (is_hidden(call))
		return 0;
	ret = vmctl_pass(call);
	if (call->arg == KVM_CAP_XEN_HVM)
		ret = vmctl_xen_flags(ret);
#ifdef KVM_CAP_VM_TYPES
	/* By bit; all others need what is refused. */
	if (call->arg == KVM_CAP_VM_TYPES && ret > 0)
		ret &= BIT(0);
#endif
	return ret;
}
