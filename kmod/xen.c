// SPDX-License-Identifier: GPL-2.0
/*
 * Xen's ways: newer KVMs take addresses of the caller's process for what a guest
 * shares with Xen, which no memory slot was checked for. Guest addresses do the
 * same, through slots.
 */
#include <linux/kvm.h>

#include "desk.h"
#include "table.h"
#include "vmctl.h"
#include "xen.h"

#ifdef KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA
#define HVA_FLAG	KVM_XEN_HVM_CONFIG_SHARED_INFO_HVA
#define HVA_OF_VM	KVM_XEN_ATTR_TYPE_SHARED_INFO_HVA
#define HVA_OF_VCPU	KVM_XEN_VCPU_ATTR_TYPE_VCPU_INFO_HVA
#else
/* No type of KVM's. */
#define HVA_FLAG	0
#define HVA_OF_VM	(-1)
#define HVA_OF_VCPU	(-1)
#endif

static int check_vm(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_xen_hvm_attr *attr = desk->data;

	return attr->type == HVA_OF_VM ? vmctl_refuse(call) : 0;
}

static int check_vcpu(struct vmctl_call *call, struct vmctl_desk *desk)
{
	const struct kvm_xen_vcpu_attr *attr = desk->data;

	return attr->type == HVA_OF_VCPU ? vmctl_refuse(call) : 0;
}

/**
 * vmctl_xen_set_attr - KVM_XEN_HVM_SET_ATTR and KVM_XEN_VCPU_SET_ATTR
 * @call: on the VM or vCPU fd
 *
 * Return: as vmctl_desk_call(); -EPERM: an address of the process.
 */
long vmctl_xen_set_attr(struct vmctl_call *call)
{
	if (call->vcpu)
		return vmctl_desk_call(call, sizeof(struct kvm_xen_vcpu_attr),
				       check_vcpu);
	return vmctl_desk_call(call, sizeof(struct kvm_xen_hvm_attr), check_vm);
}

/* What KVM_CHECK_EXTENSION says of KVM_CAP_XEN_HVM, without what is refused. */
long vmctl_xen_flags(long flags)
{
	return flags > 0 ? flags & ~HVA_FLAG : flags;
}
