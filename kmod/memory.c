// SPDX-License-Identifier: GPL-2.0
/*
 * Memory slots: what a VM may call its memory.
 */
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "desk.h"
#include "limit.h"
#include "table.h"
#include "trace.h"
#include "vmctl.h"

/* Both commands begin alike; the second one has more behind. */
static size_t size_of(unsigned int cmd)
{
#ifdef KVM_SET_USER_MEMORY_REGION2
	if (cmd == KVM_SET_USER_MEMORY_REGION2)
		return sizeof(struct kvm_userspace_memory_region2);
#endif
	return sizeof(struct kvm_userspace_memory_region);
}

/*
 * Device memory and other bare page frames: KVM has no reference to what it maps
 * there, and could go on using it when it is somebody else's (CVE-2021-22543).
 */
static int check_mappings(unsigned long start, u64 size)
{
	VMA_ITERATOR(vmi, current->mm, start);
	struct vm_area_struct *vma;
	int ret = 0;

	if (mmap_read_lock_killable(current->mm))
		return -EINTR;
	for_each_vma_range(vmi, vma, start + size) {
		if (vma->vm_flags & (VM_IO | VM_PFNMAP)) {
			ret = -EPERM;
			break;
		}
	}
	mmap_read_unlock(current->mm);
	return ret;
}

static int check(struct vmctl_call *call,
		 const struct kvm_userspace_memory_region *region)
{
	u64 end;
	int ret;

	/* Takes a slot away; or what KVM refuses, too. */
	if (!region->memory_size)
		return 0;
	if (!PAGE_ALIGNED(region->memory_size | region->guest_phys_addr |
			  region->userspace_addr))
		return -EINVAL;
	if (check_add_overflow(region->guest_phys_addr, region->memory_size,
			       &end) ||
	    check_add_overflow(region->userspace_addr, region->memory_size,
			       &end) || end > TASK_SIZE_MAX)
		return -EINVAL;
	if (vmctl_kvm_overlaps(call->port->kvm, region))
		return -EEXIST;
	ret = check_mappings(region->userspace_addr, region->memory_size);
	return ret == -EPERM ? vmctl_refuse(call) : ret;
}

/* With all checked, and charged for what the VM is to have then. */
static long hand_over(struct vmctl_call *call, struct vmctl_desk *desk)
{
	long ret;

	ret = vmctl_desk_lay_out(desk);
	if (ret)
		return ret;
	return vmctl_kvm_ioctl(call->port->kvm, call->cmd, desk->user,
			       call->compat);
}

/* For the table. */
static void show(struct vmctl_vm *vm, u64 memory)
{
	guard(mutex)(&vm->lock);

	if (!vm->revoked)
		vm->memory = memory;
}

/* The bill knows what is charged now; nobody else changes that meanwhile. */
static long charge_and_hand_over(struct vmctl_call *call,
				 struct vmctl_desk *desk)
{
	struct vmctl_bill *bill = call->port->bill;
	u64 before = bill->amount[VMCTL_MEMORY];
	u64 after = vmctl_kvm_memory_with(call->port->kvm, desk->data);
	long ret;

	if (after > before) {
		ret = vmctl_bill_charge(bill, VMCTL_MEMORY, after - before);
		if (ret)
			return ret;
	}
	ret = hand_over(call, desk);
	if (ret && after > before)
		vmctl_bill_refund(bill, VMCTL_MEMORY, after - before);
	if (!ret && after < before)
		vmctl_bill_refund(bill, VMCTL_MEMORY, before - after);
	if (!ret)
		show(call->vm, after);
	return ret;
}

/**
 * vmctl_memory_set - KVM_SET_USER_MEMORY_REGION and KVM_SET_USER_MEMORY_REGION2
 * @call: on the VM fd, inside its port
 *
 * Return: what KVM says; -EEXIST: overlaps another slot; -EINVAL: wraps around;
 * -EPERM: on device memory; -EDQUOT: more than the owner may have; -ENODEV: the
 * caller meddled with the argument, and the VM is revoked.
 */
long vmctl_memory_set(struct vmctl_call *call)
{
	struct vmctl_vm *vm = call->vm;
	struct vmctl_desk desk;
	long ret;

	if (!vmctl_kvm_is_creator(call->port->kvm))
		return -EIO;
	ret = vmctl_desk_open(&desk, vmctl_call_pointer(call),
			      size_of(call->cmd));
	if (ret)
		return ret;
	if (mutex_lock_killable(&vm->slots)) {
		ret = -EINTR;
		goto close;
	}
	ret = check(call, desk.data);
	if (!ret)
		ret = charge_and_hand_over(call, &desk);
	if (!ret && !vmctl_kvm_has_slot(call->port->kvm, desk.data))
		ret = -ENODEV;
	mutex_unlock(&vm->slots);
close:
	if (!vmctl_desk_close(&desk) || ret == -ENODEV) {
		vmctl_vm_revoke(vm);
		return -ENODEV;
	}
	return ret;
}
