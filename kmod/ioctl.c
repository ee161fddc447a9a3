// SPDX-License-Identifier: GPL-2.0
/*
 * Commands: the table that decides, and the one way through it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/compat.h>
#include <linux/kvm.h>
#include <linux/pagemap.h>
#include <linux/uaccess.h>

#include "compat.h"
#include "trace.h"
#include "vmctl.h"

/* Kinds of fd that a command is for. */
#define ON_SYSTEM	BIT(0)
#define ON_VM		BIT(1)
#define ON_VCPU		BIT(2)

/* Changes the memory slots, which the table of VMs shows. */
#define CHANGES		BIT(0)
/* Works on a revoked VM too, and does not touch KVM. */
#define ALWAYS		BIT(1)

/**
 * struct row - one command
 * @cmd: its number; for own commands the size is that of our structure
 * @on: kinds of fd, ON_*
 * @flags: CHANGES, ALWAYS
 * @name: for people
 * @handler: what to do for a KVM command; NULL refuses it
 * @own: what to do for an own command, with its structure in the kernel
 * @smallest: own command: size of the structure in the first version
 */
struct row {
	unsigned int cmd;
	u8 on;
	u8 flags;
	const char *name;
	long (*handler)(struct vmctl_call *call);
	long (*own)(struct vmctl_call *call, void *arg);
	unsigned int smallest;
};

/* --- KVM's commands ---------------------------------------------------- */

static long pass_to(struct file *kvm, struct vmctl_call *call)
{
	return vmctl_kvm_ioctl(kvm, call->cmd, call->arg, call->compat);
}

static long pass(struct vmctl_call *call)
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

/* What is refused is not there: programs that ask first do without. */
static long check_extension(struct vmctl_call *call)
{
	switch (call->arg) {
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_BINARY_STATS_FD:
#ifdef KVM_CAP_GUEST_MEMFD
	case KVM_CAP_GUEST_MEMFD:
	case KVM_CAP_MEMORY_ATTRIBUTES:
#endif
#ifdef KVM_CAP_GUEST_MEMFD_FLAGS
	case KVM_CAP_GUEST_MEMFD_FLAGS:
#endif
	case KVM_CAP_VM_COPY_ENC_CONTEXT_FROM:
	case KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM:
		return 0;
	}
	return pass(call);
}

static long create_vm(struct vmctl_call *call)
{
	return vmctl_vm_create(call, call->arg, 0, "", NULL);
}

/* --- the table --------------------------------------------------------- */

#define PASS(c, o)	{ .cmd = c, .on = o, .name = #c, .handler = pass }
#define PASS_CHANGES(c, o) \
	{ .cmd = c, .on = o, .flags = CHANGES, .name = #c, .handler = pass }
#define HANDLE(c, o, h)	{ .cmd = c, .on = o, .name = #c, .handler = h }
#define REFUSE(c, o)	{ .cmd = c, .on = o, .name = #c }
#define OWN(c, o, f, h, s) \
	{ .cmd = c, .on = o, .flags = f, .name = #c, .own = h, .smallest = s }

static const struct row rows[] = {
	/* These make fds of KVM's. Two are wrapped, the others refused. */
	HANDLE(KVM_CREATE_VM, ON_SYSTEM, create_vm),
	HANDLE(KVM_CREATE_VCPU, ON_VM, vmctl_vcpu_create),
	REFUSE(KVM_CREATE_DEVICE, ON_VM),
	REFUSE(KVM_GET_STATS_FD, ON_VM | ON_VCPU),
#ifdef KVM_CREATE_GUEST_MEMFD
	REFUSE(KVM_CREATE_GUEST_MEMFD, ON_VM),
	REFUSE(KVM_SET_MEMORY_ATTRIBUTES, ON_VM),
#endif
	/* These reach the processor's firmware with fds of other VMs. */
	REFUSE(KVM_MEMORY_ENCRYPT_OP, ON_VM | ON_VCPU),
	REFUSE(KVM_MEMORY_ENCRYPT_REG_REGION, ON_VM),
	REFUSE(KVM_MEMORY_ENCRYPT_UNREG_REGION, ON_VM),

	/* What KVM is and can. */
	PASS(KVM_GET_API_VERSION, ON_SYSTEM),
	HANDLE(KVM_CHECK_EXTENSION, ON_SYSTEM | ON_VM, check_extension),
	PASS(KVM_GET_VCPU_MMAP_SIZE, ON_SYSTEM),
	PASS(KVM_GET_MSR_INDEX_LIST, ON_SYSTEM),
	PASS(KVM_GET_MSR_FEATURE_INDEX_LIST, ON_SYSTEM),
	PASS(KVM_GET_SUPPORTED_CPUID, ON_SYSTEM),
	PASS(KVM_GET_EMULATED_CPUID, ON_SYSTEM),
	PASS(KVM_GET_SUPPORTED_HV_CPUID, ON_SYSTEM | ON_VCPU),
	PASS(KVM_X86_GET_MCE_CAP_SUPPORTED, ON_SYSTEM),
	PASS(KVM_GET_DEVICE_ATTR, ON_SYSTEM | ON_VCPU),
	PASS(KVM_HAS_DEVICE_ATTR, ON_SYSTEM | ON_VCPU),
	PASS(KVM_SET_DEVICE_ATTR, ON_VCPU),
	PASS(KVM_ENABLE_CAP, ON_VM | ON_VCPU),

	/* Memory. */
	PASS_CHANGES(KVM_SET_USER_MEMORY_REGION, ON_VM),
#ifdef KVM_SET_USER_MEMORY_REGION2
	PASS_CHANGES(KVM_SET_USER_MEMORY_REGION2, ON_VM),
#endif
#ifdef KVM_PRE_FAULT_MEMORY
	PASS(KVM_PRE_FAULT_MEMORY, ON_VCPU),
#endif
	PASS(KVM_GET_DIRTY_LOG, ON_VM),
	PASS(KVM_CLEAR_DIRTY_LOG, ON_VM),
	PASS(KVM_RESET_DIRTY_RINGS, ON_VM),
	PASS(KVM_SET_NR_MMU_PAGES, ON_VM),
	PASS(KVM_GET_NR_MMU_PAGES, ON_VM),
	PASS(KVM_SET_TSS_ADDR, ON_VM),
	PASS(KVM_SET_IDENTITY_MAP_ADDR, ON_VM),

	/* Interrupts, timers and clocks. */
	PASS(KVM_CREATE_IRQCHIP, ON_VM),
	PASS(KVM_GET_IRQCHIP, ON_VM),
	PASS(KVM_SET_IRQCHIP, ON_VM),
	PASS(KVM_IRQ_LINE, ON_VM),
	PASS(KVM_IRQ_LINE_STATUS, ON_VM),
	PASS(KVM_SET_GSI_ROUTING, ON_VM),
	PASS(KVM_SIGNAL_MSI, ON_VM),
	PASS(KVM_IRQFD, ON_VM),
	PASS(KVM_IOEVENTFD, ON_VM),
	PASS(KVM_REGISTER_COALESCED_MMIO, ON_VM),
	PASS(KVM_UNREGISTER_COALESCED_MMIO, ON_VM),
	PASS(KVM_CREATE_PIT, ON_VM),
	PASS(KVM_CREATE_PIT2, ON_VM),
	PASS(KVM_GET_PIT, ON_VM),
	PASS(KVM_SET_PIT, ON_VM),
	PASS(KVM_GET_PIT2, ON_VM),
	PASS(KVM_SET_PIT2, ON_VM),
	PASS(KVM_REINJECT_CONTROL, ON_VM),
	PASS(KVM_GET_CLOCK, ON_VM),
	PASS(KVM_SET_CLOCK, ON_VM),
	PASS(KVM_GET_TSC_KHZ, ON_VM | ON_VCPU),
	PASS(KVM_SET_TSC_KHZ, ON_VM | ON_VCPU),
	PASS(KVM_KVMCLOCK_CTRL, ON_VCPU),

	/* The machine as a whole. */
	PASS(KVM_SET_BOOT_CPU_ID, ON_VM),
	PASS(KVM_X86_SET_MSR_FILTER, ON_VM),
	PASS(VMCTL_KVM_X86_SET_MSR_FILTER_COMPAT, ON_VM),
	PASS(KVM_SET_PMU_EVENT_FILTER, ON_VM),
	PASS(KVM_XEN_HVM_CONFIG, ON_VM),
	PASS(KVM_XEN_HVM_GET_ATTR, ON_VM),
	PASS(KVM_XEN_HVM_SET_ATTR, ON_VM),
	PASS(KVM_XEN_HVM_EVTCHN_SEND, ON_VM),
	PASS(KVM_HYPERV_EVENTFD, ON_VM),

	/* A vCPU and its registers; KVM_RUN itself does not come this way. */
	PASS(KVM_GET_REGS, ON_VCPU),
	PASS(KVM_SET_REGS, ON_VCPU),
	PASS(KVM_GET_SREGS, ON_VCPU),
	PASS(KVM_SET_SREGS, ON_VCPU),
	PASS(KVM_GET_SREGS2, ON_VCPU),
	PASS(KVM_SET_SREGS2, ON_VCPU),
	PASS(KVM_GET_FPU, ON_VCPU),
	PASS(KVM_SET_FPU, ON_VCPU),
	PASS(KVM_GET_XSAVE, ON_VCPU),
	PASS(KVM_GET_XSAVE2, ON_VCPU),
	PASS(KVM_SET_XSAVE, ON_VCPU),
	PASS(KVM_GET_XCRS, ON_VCPU),
	PASS(KVM_SET_XCRS, ON_VCPU),
	PASS(KVM_GET_DEBUGREGS, ON_VCPU),
	PASS(KVM_SET_DEBUGREGS, ON_VCPU),
	PASS(KVM_GET_MSRS, ON_SYSTEM | ON_VCPU),
	PASS(KVM_SET_MSRS, ON_VCPU),
	PASS(KVM_GET_ONE_REG, ON_VCPU),
	PASS(KVM_SET_ONE_REG, ON_VCPU),
	PASS(KVM_GET_REG_LIST, ON_VCPU),
	PASS(KVM_SET_CPUID, ON_VCPU),
	PASS(KVM_SET_CPUID2, ON_VCPU),
	PASS(KVM_GET_CPUID2, ON_VCPU),
	PASS(KVM_GET_LAPIC, ON_VCPU),
	PASS(KVM_SET_LAPIC, ON_VCPU),
	PASS(KVM_GET_MP_STATE, ON_VCPU),
	PASS(KVM_SET_MP_STATE, ON_VCPU),
	PASS(KVM_GET_VCPU_EVENTS, ON_VCPU),
	PASS(KVM_SET_VCPU_EVENTS, ON_VCPU),
	PASS(KVM_GET_NESTED_STATE, ON_VCPU),
	PASS(KVM_SET_NESTED_STATE, ON_VCPU),
	PASS(KVM_XEN_VCPU_GET_ATTR, ON_VCPU),
	PASS(KVM_XEN_VCPU_SET_ATTR, ON_VCPU),
	PASS(KVM_INTERRUPT, ON_VCPU),
	PASS(KVM_NMI, ON_VCPU),
	PASS(KVM_SMI, ON_VCPU),
	PASS(KVM_X86_SETUP_MCE, ON_VCPU),
	PASS(KVM_X86_SET_MCE, ON_VCPU),
	PASS(KVM_SET_SIGNAL_MASK, ON_VCPU),
	PASS(KVM_SET_GUEST_DEBUG, ON_VCPU),
	PASS(KVM_TRANSLATE, ON_VCPU),
	PASS(KVM_TPR_ACCESS_REPORTING, ON_VCPU),
	PASS(KVM_SET_VAPIC_ADDR, ON_VCPU),

	OWN(VMCTL_GET_INFO, ON_SYSTEM, 0, vmctl_own_get_info, 56),
	OWN(VMCTL_CREATE_VM, ON_SYSTEM, 0, vmctl_own_create_vm, 80),
	OWN(VMCTL_LOAD_IMAGE, ON_VM, 0, vmctl_own_load_image, 64),
	OWN(VMCTL_GET_STATS, ON_SYSTEM | ON_VM | ON_VCPU, ALWAYS, vmctl_own_get_stats,
	    552),
	OWN(VMCTL_REVOKE_VM, ON_SYSTEM, 0, vmctl_own_revoke_vm, 8),
};

/* Largest structure of an own command. */
union own {
	struct vmctl_info info;
	struct vmctl_create_vm create_vm;
	struct vmctl_load_image load_image;
	struct vmctl_stats stats;
	struct vmctl_revoke_vm revoke_vm;
};

/* By type and number: the first row, plus 1, and for each row the next one. */
#define BUCKETS		256

static u8 first[BUCKETS];
static u8 next[ARRAY_SIZE(rows)];

static unsigned int bucket(unsigned int cmd)
{
	return (_IOC_NR(cmd) ^ _IOC_TYPE(cmd)) % BUCKETS;
}

/* Own commands may come with another size: that is how they grow. */
static bool is_cmd(const struct row *row, unsigned int cmd)
{
	if (row->own)
		return !((row->cmd ^ cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT));
	return row->cmd == cmd;
}

static const struct row *find(unsigned int cmd)
{
	for (u8 i = first[bucket(cmd)]; i; i = next[i - 1])
		if (is_cmd(&rows[i - 1], cmd))
			return &rows[i - 1];
	return NULL;
}

void __init vmctl_ioctl_init(void)
{
	u8 *head;

	BUILD_BUG_ON(ARRAY_SIZE(rows) >= U8_MAX);
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		head = &first[bucket(rows[i].cmd)];
		next[i] = *head;
		*head = i + 1;
	}
}

/* --- the way through --------------------------------------------------- */

static unsigned int kind(const struct vmctl_call *call)
{
	if (call->client)
		return ON_SYSTEM;
	return call->vcpu ? ON_VCPU : ON_VM;
}

/*
 * The structure in, as much of it as both sides know; and a look whether the
 * answer will find room, before anything is done.
 */
static int copy_in(const struct row *row, struct vmctl_call *call,
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
static int copy_out(const struct row *row, struct vmctl_call *call,
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
static noinline long do_own(const struct row *row, struct vmctl_call *call)
{
	void __user *user = (void __user *)call->arg;
	union own own;
	long ret;

	if (call->compat)
		user = compat_ptr(call->arg);
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

static long carry_out(const struct row *row, struct vmctl_call *call)
{
	long ret;

	if (!row || !(row->on & kind(call)))
		return -ENOTTY;
	if (row->own) {
		ret = do_own(row, call);
	} else if (row->handler) {
		ret = row->handler(call);
	} else {
		trace_deny(call, row->name);
		pr_debug("%s refused\n", row->name);
		return -EPERM;
	}

	trace_ioctl(call, row->name, ret);
	pr_debug("vm %u: %s: %ld\n", call->vm ? call->vm->id : 0, row->name,
		 ret);
	if (row->flags & CHANGES && !ret) {
		WRITE_ONCE(call->vm->stale, true);
		vmctl_status_changed(call->vm->user);
	}
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
	const struct row *row = find(call->cmd);
	struct vmctl_port *port = call->port;
	long ret;

	if (row && row->flags & ALWAYS)
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
