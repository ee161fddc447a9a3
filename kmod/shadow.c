// SPDX-License-Identifier: GPL-2.0
/*
 * Shadows of run pages: what user space maps instead of KVM's own, where it must
 * not write there behind our back.
 *
 * By KVM_SYNC_X86_SREGS (api.rst, 5.) KVM_RUN takes registers from the run page,
 * EFER among them, which any thread can write until KVM reads it. Where EFER is
 * to be watched, user space is shown another page: what KVM may read there is
 * copied and checked before each KVM_RUN, and the rest copied back after it.
 * That costs more than KVM_RUN itself may, and only such VMs pay.
 */
#include <asm/msr-index.h>
#include <linux/gfp.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "limit.h"
#include "nested.h"
#include "shadow.h"
#include "vmctl.h"

/* User space alone writes what lies before; see struct kvm_run. */
#define ANSWER		offsetof(struct kvm_run, exit_reason)

/**
 * vmctl_shadow_make - a shadow, if this vCPU needs one
 * @vcpu: about to be made
 * @bill: of its VM
 *
 * Return: 0; -ENOMEM.
 */
int vmctl_shadow_make(struct vmctl_vcpu *vcpu, const struct vmctl_bill *bill)
{
	BUILD_BUG_ON(sizeof(struct kvm_run) > PAGE_SIZE);

	if (!vmctl_nested_watched(bill))
		return 0;
	vcpu->shadow = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vcpu->shadow ? 0 : -ENOMEM;
}

/* Mappings have references of their own. */
void vmctl_shadow_free(struct vmctl_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->shadow);
}

struct page *vmctl_shadow_page(const struct vmctl_vcpu *vcpu)
{
	struct page *page = virt_to_page(vcpu->shadow);

	get_page(page);
	return page;
}

/* What user space has to say to KVM_RUN. */
static void take(struct kvm_run *run, const struct kvm_run *shadow)
{
	size_t exit = offsetof(struct kvm_run, hw);
	size_t exit_size = offsetof(struct kvm_run, kvm_valid_regs) - exit;

	memcpy(run, shadow, ANSWER);
	run->cr8 = READ_ONCE(shadow->cr8);
	memcpy((void *)run + exit, (const void *)shadow + exit, exit_size);
	run->kvm_valid_regs = READ_ONCE(shadow->kvm_valid_regs);
	run->kvm_dirty_regs = READ_ONCE(shadow->kvm_dirty_regs);
	if (run->kvm_dirty_regs)
		memcpy(&run->s, &shadow->s, sizeof(run->s));
}

/* What user space writes while KVM runs must not be lost: that is before it. */
static void give(struct kvm_run *shadow, const struct kvm_run *run)
{
	memcpy((void *)shadow + ANSWER, (const void *)run + ANSWER,
	       offsetof(struct kvm_run, s) - ANSWER);
	if (run->kvm_valid_regs)
		memcpy(&shadow->s, &run->s, sizeof(run->s));
}

static bool brings_svm(const struct kvm_run *run)
{
	return run->kvm_dirty_regs & KVM_SYNC_X86_SREGS &&
	       run->s.regs.sregs.efer & EFER_SVME;
}

/**
 * vmctl_shadow_run - KVM_RUN on what stands in the shadow
 * @vcpu: has a shadow; the caller holds its runner slot
 * @arg: of KVM_RUN
 *
 * Return: what KVM says; -EDQUOT: would make it a VM that may run VMs; -EIO: not
 * the VM's address space.
 */
long vmctl_shadow_run(struct vmctl_vcpu *vcpu, unsigned long arg)
{
	struct kvm_run *run = vmctl_kvm_run_page(vcpu->port.kvm);
	long ret;

	if (!vmctl_kvm_vcpu_is_creator(vcpu->port.kvm))
		return -EIO;
	take(run, vcpu->shadow);
	if (brings_svm(run)) {
		ret = vmctl_bill_charge(vcpu->port.bill, VMCTL_NESTED, 1);
		if (ret)
			return ret;
	}
	ret = vmctl_kvm_ioctl(vcpu->port.kvm, KVM_RUN, arg, false);
	give(vcpu->shadow, run);
	return ret;
}
