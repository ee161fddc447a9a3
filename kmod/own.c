// SPDX-License-Identifier: GPL-2.0
/*
 * The module's own commands, with their structures already in the kernel.
 */
#include <linux/kvm.h>
#include <linux/string.h>
#include <linux/user_namespace.h>

#include "event.h"
#include "limit.h"
#include "table.h"
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

/* Whom a structure names, and whether the caller may ask. */
static int limits_of(const struct vmctl_client *client,
		     const struct vmctl_limits *limits, kuid_t *uid)
{
	*uid = INVALID_UID;
	switch (limits->scope) {
	case VMCTL_SCOPE_TOTAL:
	case VMCTL_SCOPE_DEFAULT:
		return limits->uid ? -EINVAL : 0;
	case VMCTL_SCOPE_USER:
		*uid = make_kuid(current_user_ns(), limits->uid);
		if (!uid_valid(*uid))
			return -EINVAL;
		return client->admin || uid_eq(*uid, client->user->uid) ?
			0 : -EPERM;
	}
	return -EINVAL;
}

static int next_limits(const struct vmctl_client *client, u32 *number,
		       kuid_t *uid)
{
	if (!client->admin || current_user_ns() != &init_user_ns)
		return -EPERM;
	*uid = make_kuid(&init_user_ns, *number);
	if (!uid_valid(*uid))
		return -EINVAL;
	if (!vmctl_limit_next(uid))
		return -ENOENT;
	*number = from_kuid(&init_user_ns, *uid);
	return 0;
}

long vmctl_own_get_limits(struct vmctl_call *call, void *arg)
{
	struct vmctl_limits *limits = arg;
	kuid_t uid;
	int ret;

	if (limits->flags)
		return -EINVAL;
	if (limits->scope == VMCTL_SCOPE_NEXT) {
		ret = next_limits(call->client, &limits->uid, &uid);
		limits->scope = VMCTL_SCOPE_USER;
	} else {
		ret = limits_of(call->client, limits, &uid);
	}
	if (ret)
		return ret;
	memset(limits->used, 0, sizeof(limits->used));
	memset(limits->refused, 0, sizeof(limits->refused));
	vmctl_limit_get(limits->scope, uid, limits);
	if (limits->scope == VMCTL_SCOPE_USER)
		vmctl_limit_use(uid, limits);
	if (limits->scope == VMCTL_SCOPE_TOTAL && !call->client->admin) {
		memset(limits->used, 0, sizeof(limits->used));
		memset(limits->refused, 0, sizeof(limits->refused));
	}
	return 0;
}

long vmctl_own_set_limits(struct vmctl_call *call, void *arg)
{
	const struct vmctl_limits *limits = arg;
	kuid_t uid;
	int ret;

	ret = limits_of(call->client, limits, &uid);
	if (ret)
		return ret;
	if (!call->client->admin)
		return -EPERM;
	if (limits->flags & ~VMCTL_LIMITS_REPLACE ||
	    limits->set & ~VMCTL_RESOURCES_ALL ||
	    memchr_inv(limits->used, 0, sizeof(limits->used)) ||
	    memchr_inv(limits->refused, 0, sizeof(limits->refused)))
		return -EINVAL;
	return vmctl_limit_set(limits->scope, uid, limits);
}

long vmctl_own_get_command(struct vmctl_call *call, void *arg)
{
	struct vmctl_command *command = arg;
	const struct vmctl_row *row;
	u32 index = command->index;

	if (command->flags || command->reserved)
		return -EINVAL;
	row = vmctl_table_at(index);
	if (!row)
		return -ENOENT;
	*command = (struct vmctl_command){
		.index = index,
		.cmd = row->cmd,
		.on = row->on,
		.verdict = row->verdict,
	};
	if (call->client->admin)
		command->refusals = vmctl_table_refusals(row);
	strscpy(command->name, row->name, sizeof(command->name));
	strscpy(command->why, row->why, sizeof(command->why));
	return 0;
}

long vmctl_own_get_event(struct vmctl_call *call, void *arg)
{
	return vmctl_event_next(call->client, arg);
}
