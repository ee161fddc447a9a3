// SPDX-License-Identifier: GPL-2.0
/*
 * Nested virtualization: VMs that may run VMs themselves.
 *
 * Much of KVM is reached by such VMs alone, so who may have them is limited. A
 * VM is charged once, when it is first to be given what it takes, and until its
 * end. While there is no limit only CPUID is looked at, and vCPUs that are made
 * then are not watched when a limit comes.
 *
 * VMX works as soon as IA32_FEAT_CTL allows it, and SVM as soon as EFER.SVME is
 * set. A guest can do either only where its CPUID has VMX or SVM; but user space
 * can set both against CPUID, by KVM_SET_MSRS and KVM_SET_ONE_REG, and EFER by
 * KVM_SET_SREGS and in the run page (shadow.c), too; and KVM_SET_NESTED_STATE
 * brings a VM that is inside.
 */
#include <asm/cpufeatures.h>
#include <asm/msr-index.h>
#include <linux/kvm.h>
#include <linux/overflow.h>
#include <linux/uaccess.h>

#include "desk.h"
#include "limit.h"
#include "nested.h"
#include "table.h"
#include "vmctl.h"

/* Entries that KVM takes at most (linux/kvm_host.h, arch/x86/kvm/x86.c). */
#define CPUID_ENTRIES	256
#define MSR_ENTRIES	256

/* What feature bit of cpuid(leaf).ecx says: asm/cpufeatures.h. */
#define BIT_OF(feature)	BIT((feature) & 31)

/* The bits of a leaf's ecx by which guests know that they may run VMs. */
static u32 bits_of(u32 leaf)
{
	switch (leaf) {
	case 0x00000001:
		return BIT_OF(X86_FEATURE_VMX);
	case 0x80000001:
		return BIT_OF(X86_FEATURE_SVM);
	}
	return 0;
}

/* Whether a VM of this process is one. */
static bool has_one(void)
{
	struct vmctl_vm *vm;
	bool has = false;

	guard(mutex)(&vmctl_lock);

	list_for_each_entry(vm, &vmctl_vms, node) {
		if (vm->pid != task_tgid(current) ||
		    !vmctl_port_enter(&vm->port))
			continue;
		has = READ_ONCE(vm->port.bill->amount[VMCTL_NESTED]);
		vmctl_port_leave(&vm->port);
		if (has)
			break;
	}
	return has;
}

/*
 * Whether the caller could have none, so that there is no such thing. A process
 * that has one is told the same for all of its vCPUs.
 */
bool vmctl_nested_hidden(void)
{
	return !vmctl_limit_left(vmctl_account(), VMCTL_NESTED) && !has_one();
}

/* Whether a VM must not become one that can without being charged. */
bool vmctl_nested_watched(const struct vmctl_bill *bill)
{
	return !READ_ONCE(bill->amount[VMCTL_NESTED]) &&
	       vmctl_limit_of(bill->payer->uid, VMCTL_NESTED) != VMCTL_UNLIMITED;
}

static int charge(struct vmctl_call *call)
{
	return vmctl_bill_charge(call->port->bill, VMCTL_NESTED, 1);
}

/* --- CPUID ------------------------------------------------------------- */

static int check_cpuid(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_cpuid *cpuid = desk->data;

	/* It has been read twice. */
	if (struct_size(cpuid, entries, cpuid->nent) > desk->size)
		return -EFAULT;
	for (u32 i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].ecx & bits_of(cpuid->entries[i].function))
			return charge(call);
	return 0;
}

static int check_cpuid2(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_cpuid2 *cpuid = desk->data;

	if (struct_size(cpuid, entries, cpuid->nent) > desk->size)
		return -EFAULT;
	for (u32 i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].ecx & bits_of(cpuid->entries[i].function))
			return charge(call);
	return 0;
}

/**
 * vmctl_nested_cpuid - KVM_SET_CPUID and KVM_SET_CPUID2
 * @call: on the vCPU fd
 *
 * Return: as vmctl_desk_call(); -E2BIG, as KVM; -EDQUOT.
 */
long vmctl_nested_cpuid(struct vmctl_call *call)
{
	u32 entries;
	size_t size;

	/* Both structures begin with the number of entries. */
	if (get_user(entries, (u32 __user *)vmctl_call_pointer(call)))
		return -EFAULT;
	if (entries > CPUID_ENTRIES)
		return -E2BIG;
	if (call->cmd == KVM_SET_CPUID) {
		size = struct_size_t(struct kvm_cpuid, entries, entries);
		return vmctl_desk_call(call, size, check_cpuid);
	}
	size = struct_size_t(struct kvm_cpuid2, entries, entries);
	return vmctl_desk_call(call, size, check_cpuid2);
}

/**
 * vmctl_nested_supported - KVM_GET_SUPPORTED_CPUID
 * @call: on the system fd
 *
 * What a VM would be refused for does not stand in the answer. The answer is the
 * caller's: who writes to it meanwhile fools himself.
 *
 * Return: what KVM says; -EFAULT.
 */
long vmctl_nested_supported(struct vmctl_call *call)
{
	struct kvm_cpuid2 __user *cpuid = vmctl_call_pointer(call);
	struct kvm_cpuid_entry2 entry;
	u32 entries;
	long ret;

	ret = vmctl_pass(call);
	if (ret || !vmctl_nested_hidden())
		return ret;
	if (get_user(entries, &cpuid->nent))
		return -EFAULT;
	for (u32 i = 0; i < min(entries, CPUID_ENTRIES); i++) {
		if (copy_from_user(&entry, &cpuid->entries[i], sizeof(entry)))
			return -EFAULT;
		if (!(entry.ecx & bits_of(entry.function)))
			continue;
		entry.ecx &= ~bits_of(entry.function);
		if (copy_to_user(&cpuid->entries[i], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return 0;
}

/* --- EFER and IA32_FEAT_CTL --------------------------------------------- */

static bool brings_nested(u64 msr, u64 value)
{
	switch (msr) {
	case MSR_EFER:
		return value & EFER_SVME;
	case MSR_IA32_FEAT_CTL:
		return value & (FEAT_CTL_VMX_ENABLED_INSIDE_SMX |
				FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
	}
	return false;
}

static int check_sregs(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_sregs *sregs = desk->data;

	return sregs->efer & EFER_SVME ? charge(call) : 0;
}

static int check_sregs2(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_sregs2 *sregs = desk->data;

	return sregs->efer & EFER_SVME ? charge(call) : 0;
}

/**
 * vmctl_nested_sregs - KVM_SET_SREGS and KVM_SET_SREGS2
 * @call: on the vCPU fd
 *
 * Return: as vmctl_desk_call(); -EDQUOT.
 */
long vmctl_nested_sregs(struct vmctl_call *call)
{
	if (!vmctl_nested_watched(call->port->bill))
		return vmctl_pass(call);
	if (call->cmd == KVM_SET_SREGS)
		return vmctl_desk_call(call, sizeof(struct kvm_sregs),
				       check_sregs);
	return vmctl_desk_call(call, sizeof(struct kvm_sregs2), check_sregs2);
}

static int check_msrs(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_msrs *msrs = desk->data;

	if (struct_size(msrs, entries, msrs->nmsrs) > desk->size)
		return -EFAULT;
	for (u32 i = 0; i < msrs->nmsrs; i++)
		if (brings_nested(msrs->entries[i].index,
				  msrs->entries[i].data))
			return charge(call);
	return 0;
}

/**
 * vmctl_nested_msrs - KVM_SET_MSRS
 * @call: on the vCPU fd
 *
 * Return: as vmctl_desk_call(); -E2BIG, as KVM; -EDQUOT.
 */
long vmctl_nested_msrs(struct vmctl_call *call)
{
	struct kvm_msrs __user *msrs = vmctl_call_pointer(call);
	u32 entries;
	size_t size;

	if (!vmctl_nested_watched(call->port->bill))
		return vmctl_pass(call);
	if (get_user(entries, &msrs->nmsrs))
		return -EFAULT;
	if (entries >= MSR_ENTRIES)
		return -E2BIG;
	size = struct_size_t(struct kvm_msrs, entries, entries);
	return vmctl_desk_call(call, size, check_msrs);
}

/* An MSR as newer KVMs name it here: KVM_X86_REG_MSR(). */
#define ONE_REG_MSR	(KVM_REG_X86 | KVM_REG_SIZE_U64 | 2ULL << 32)

/* The value stands elsewhere; it is brought to the copy and checked there. */
static int check_one_reg(struct vmctl_call *call, struct vmctl_desk *desk)
{
	struct kvm_one_reg *reg = desk->data;
	u64 *value = desk->data + sizeof(*reg);

	if ((reg->id & ~(u64)U32_MAX) != ONE_REG_MSR)
		return 0;
	if (copy_from_user(value, u64_to_user_ptr(reg->addr), sizeof(*value)))
		return -EFAULT;
	reg->addr = desk->user + sizeof(*reg);
	return brings_nested((u32)reg->id, *value) ? charge(call) : 0;
}

/**
 * vmctl_nested_one_reg - KVM_SET_ONE_REG
 * @call: on the vCPU fd
 *
 * Return: as vmctl_desk_call(); -EDQUOT.
 */
long vmctl_nested_one_reg(struct vmctl_call *call)
{
	if (!vmctl_nested_watched(call->port->bill))
		return vmctl_pass(call);
	return vmctl_desk_call(call, sizeof(struct kvm_one_reg), check_one_reg);
}

/* KVM_SET_NESTED_STATE, whatever it brings: programs set it for such VMs alone. */
long vmctl_nested_state(struct vmctl_call *call)
{
	if (!vmctl_kvm_vcpu_is_creator(call->port->kvm))
		return -EIO;
	return charge(call) ?: vmctl_pass(call);
}
