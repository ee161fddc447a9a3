// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own commands, with their structures already in the kernel.
 */
#include <linux/kvm.h>
#include <linux/string.h>

#include "vmctl.h"

long vmctl_own_get_info(struct vmctl_call *call, void *arg)
{
	struct vmctl_info *info = arg;
	struct vmctl_vcpu *vcpu;
	struct vmctl_vm *vm;
	struct file *kvm;
	int ret;

	info->abi_version = VMCTL_ABI_VERSION;
	strscpy(info->version, VMCTL_VERSION, sizeof(info->version));

	ret = vmctl_client_kvm(call->client, &kvm);
	if (ret)
		info->kvm_errno = -ret;
	else
		info->kvm_api_version =
			vmctl_kvm_ioctl(kvm, KVM_GET_API_VERSION, 0, false);

	guard(mutex)(&vmctl_lock);
	list_for_each_entry(vm, &vmctl_vms, node) {
		if (!call->client->admin && vm->user != call->client->user)
			continue;
		info->vms++;
		guard(mutex)(&vm->lock);
		list_for_each_entry(vcpu, &vm->vcpus, node)
			info->vcpus++;
	}
	return 0;
}

long vmctl_own_create_vm(struct vmctl_call *call, void *arg)
{
	struct vmctl_create_vm *create = arg;

	if (create->flags & ~VMCTL_VM_TIME_RUN || create->id)
		return -EINVAL;
	if (strnlen(create->name, sizeof(create->name)) == sizeof(create->name))
		return -EINVAL;
	return vmctl_vm_create(call, create->machine_type, create->flags,
			       create->name, &create->id);
}

long vmctl_own_load_image(struct vmctl_call *call, void *arg)
{
	return vmctl_image_load(call->vm, arg);
}

long vmctl_own_get_stats(struct vmctl_call *call, void *arg)
{
	struct vmctl_stats *stats = arg;
	struct vmctl_vm *vm = call->vm;
	long ret;

	if (stats->flags || stats->vcpus)
		return -EINVAL;

	if (call->vcpu) {
		if (stats->id || stats->vcpu != VMCTL_ALL_VCPUS)
			return -EINVAL;
		stats->vcpu = call->vcpu->id;
		ret = vmctl_vm_stats(vm, stats);
		stats->vcpu = VMCTL_ALL_VCPUS;
		return ret;
	}
	if (vm)
		return stats->id ? -EINVAL : vmctl_vm_stats(vm, stats);

	vm = vmctl_vm_find(call->client, stats->id);
	if (!vm)
		return -ENOENT;
	ret = vmctl_vm_stats(vm, stats);
	vmctl_vm_put(vm);
	return ret;
}

long vmctl_own_revoke_vm(struct vmctl_call *call, void *arg)
{
	const struct vmctl_revoke_vm *revoke = arg;
	struct vmctl_vm *vm;

	if (revoke->flags)
		return -EINVAL;
	vm = vmctl_vm_find(call->client, revoke->id);
	if (!vm)
		return -ENOENT;
	vmctl_vm_revoke(vm);
	vmctl_vm_put(vm);
	return 0;
}
