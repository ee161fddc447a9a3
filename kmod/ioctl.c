// SPDX-License-Identifier: GPL-2.0
/*
 * Commands: the one way through, which the table decides.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include "event.h"
#include "table.h"
#include "trace.h"
#include "vmctl.h"

/* --- KVM's commands ---------------------------------------------------- */

static long pass_to(struct file *kvm, struct vmctl_call *call)
{
	return vmctl_kvm_ioctl(kvm, call->cmd, call->arg, call->compat);
}

long vmctl_pass(struct vmctl_call *call)
{
	struct file *kvm;
	long ret;

	if (call->client) {
		ret = vmctl_client_kvm(call->client, &kvm);
		return ret ?: pass_to(kvm, call);
	}
	if (call->vcpu)
		return pass_to(call->port->kvm, call);

	/* Not while a vCPU is being made: see there. */
	if (down_read_killable(&call->vm->making))
		return -EINTR;
	ret = pass_to(call->port->kvm, call);
	up_read(&call->vm->making);
	return ret;
}

long vmctl_set_memory(struct vmctl_call *call)
{
	long ret;

	if (down_read_killable(&call->vm->making))
		return -EINTR;
	ret = vmctl_memory_set(call);
	up_read(&call->vm->making);
	return ret;
}

/* KVM has it, and it is not let through. */
long vmctl_refuse(struct vmctl_call *call)
{
	const char *name = call->row->name;

	vmctl_table_refused(call->row);
	trace_deny(call, name);
	vmctl_event_refused(call, name);
	pr_debug("%s refused\n", name);
	return -EPERM;
}

long vmctl_create_vm(struct vmctl_call *call)
{
	return vmctl_vm_create(call, call->arg, 0, "", NULL);
}

/* Largest structure of an own command. */
union own {
	struct vmctl_info info;
	struct vmctl_create_vm create_vm;
	struct vmctl_load_image load_image;
	struct vmctl_stats stats;
	struct vmctl_revoke_vm revoke_vm;
	struct vmctl_limits limits;
	struct vmctl_command command;
	struct vmctl_event event;
};

/* --- the way through --------------------------------------------------- */

static unsigned int kind(const struct vmctl_call *call)
{
	if (call->client)
		return VMCTL_ON_SYSTEM;
	return call->vcpu ? VMCTL_ON_VCPU : VMCTL_ON_VM;
}

/*
 * The structure in, as much of it as both sides know; and a look whether the
 * answer will find room, before anything is done.
 */
static int copy_in(const struct vmctl_row *row, struct vmctl_call *call,
		   union own *own, void __user *user)
{
	unsigned int size = _IOC_SIZE(call->cmd);

	if (size < row->smallest)
		return -EINVAL;
	memset(own, 0, sizeof(*own));
	if (_IOC_DIR(call->cmd) & _IOC_READ &&
	    fault_in_safe_writeable(user, size))
		return -EFAULT;
	if (!(_IOC_DIR(call->cmd) & _IOC_WRITE))
		return 0;
	return copy_struct_from_user(own, _IOC_SIZE(row->cmd), user, size);
}

/* And out; what this kernel does not know is zero. */
static int copy_out(const struct vmctl_row *row, struct vmctl_call *call,
		    const union own *own, void __user *user)
{
	unsigned int size = _IOC_SIZE(call->cmd);
	unsigned int known = min(size, _IOC_SIZE(row->cmd));

	if (!(_IOC_DIR(call->cmd) & _IOC_READ))
		return 0;
	if (copy_to_user(user, own, known) ||
	    clear_user(user + known, size - known))
		return -EFAULT;
	return 0;
}

/* Apart, so that KVM's commands do not pay for the room that this takes. */
static noinline long do_own(const struct vmctl_row *row, struct vmctl_call *call)
{
	void __user *user = vmctl_call_pointer(call);
	union own own;
	long ret;

	ret = copy_in(row, call, &own, user);
	if (ret)
		return ret;
	ret = row->own(call, &own);
	if (ret < 0)
		return ret;
	if (!copy_out(row, call, &own, user))
		return ret;

	if (call->file) {
		put_unused_fd(ret);
		fput(call->file);
		call->file = NULL;
	}
	return -EFAULT;
}

static long carry_out(const struct vmctl_row *row, struct vmctl_call *call)
{
	long ret;

	if (!row || !(row->on & kind(call)))
		return -ENOTTY;
	call->row = row;
	if (!row->own && !row->handler)
		return vmctl_refuse(call);
	ret = row->own ? do_own(row, call) : row->handler(call);

	trace_ioctl(call, row->name, ret);
	pr_debug("vm %u: %s: %ld\n", call->vm ? call->vm->id : 0, row->name,
		 ret);
	if (row->flags & VMCTL_ROW_CHANGES && !ret)
		vmctl_status_changed(call->vm->user);
	return ret;
}

/**
 * vmctl_dispatch - carry out a command
 * @call: which, and on what
 *
 * Return: what KVM or the handler says; -ENOTTY: not a command for this fd;
 * -EPERM: refused; -ENODEV: the VM was revoked.
 */
long vmctl_dispatch(struct vmctl_call *call)
{
	const struct vmctl_row *row = vmctl_table_find(call->cmd);
	struct vmctl_port *port = call->port;
	long ret;

	if (row && row->flags & VMCTL_ROW_ALWAYS)
		port = NULL;
	if (port && !vmctl_port_enter(port))
		return -ENODEV;
	ret = carry_out(row, call);
	if (port)
		vmctl_port_leave(port);

	/* All done: let user space reach it. */
	if (call->file)
		fd_install(ret, call->file);
	return ret;
}
