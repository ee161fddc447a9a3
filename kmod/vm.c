// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual machines: the VM fd, its life and its end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/kvm.h>
#include <linux/pid.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string_helpers.h>

#include "debug.h"
#include "event.h"
#include "limit.h"
#include "trace.h"
#include "vmctl.h"

/* Protects the list of VMs and their ids. */
DEFINE_MUTEX(vmctl_lock);
LIST_HEAD(vmctl_vms);

/* The last id given, under vmctl_lock. */
static u32 vmctl_last_id;

/*
 * Lines of VMs' lives, for whoever is charged for a user's VMs, in five seconds:
 * enough for a person's work, not enough to push all else out of the log. Those
 * whose ids fall together share a limit.
 */
#define LIFE_LINES	200
#define LIFE_BITS	6

static struct ratelimit_state life[1 << LIFE_BITS];

void __init vmctl_vm_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(life); i++)
		ratelimit_state_init(&life[i], 5 * HZ, LIFE_LINES);
}

/* A worker only carries out what somebody else wanted. */
static bool done_by_admin(const struct vmctl_vm *vm)
{
	return !uid_eq(current_uid(), vm->user->uid) &&
	       !(current->flags & PF_KTHREAD) &&
	       ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
}

/**
 * vmctl_vm_say - a line of the VM's life in the kernel log
 * @vm: whose
 * @what: and what follows, as for printk()
 *
 * What an admin does to a VM of others is always said, all else within limits.
 */
void vmctl_vm_say(struct vmctl_vm *vm, const char *what, ...)
{
	u32 account = __kuid_val(vm->user->account);
	struct va_format vaf;
	va_list args;

	if (!done_by_admin(vm) &&
	    !__ratelimit(&life[hash_32(account, LIFE_BITS)]))
		return;
	va_start(args, what);
	vaf.fmt = what;
	vaf.va = &args;
	pr_info("vm %u (pid %d, uid %u, \"%s\"): %pV\n", vm->id,
		pid_nr(vm->pid), from_kuid(&init_user_ns, vm->user->uid),
		vm->shown, &vaf);
	va_end(args);
}

static void set_name(struct vmctl_vm *vm, const char *name)
{
	int length;

	strscpy(vm->name, name, sizeof(vm->name));
	length = string_escape_mem(name, strlen(name), vm->shown,
				   sizeof(vm->shown) - 1,
				   ESCAPE_OCTAL | ESCAPE_NAP | ESCAPE_APPEND,
				   " \"\\");
	vm->shown[length] = '\0';
}

static void vm_free(struct kref *kref)
{
	struct vmctl_vm *vm = container_of(kref, struct vmctl_vm, kref);
	struct vmctl_user *user = vm->user;

	if (!list_empty(&vm->node)) {
		mutex_lock(&vmctl_lock);
		list_del(&vm->node);
		mutex_unlock(&vmctl_lock);

		vmctl_debug_remove(vm);
		trace_vm_destroy(vm);
		vmctl_event_vm(vm, VMCTL_EVENT_ENDED);
		vmctl_vm_say(vm, "destroyed");
		vmctl_status_changed(user);
	}

	vmctl_port_free(&vm->port);
	put_pid(vm->pid);
	mutex_destroy(&vm->slots);
	mutex_destroy(&vm->lock);
	kfree(vm);
	vmctl_user_put(user);
}

void vmctl_vm_put(struct vmctl_vm *vm)
{
	kref_put(&vm->kref, vm_free);
}

/**
 * vmctl_vm_find - a VM by its id
 * @client: who asks
 * @id: which
 *
 * Return: a reference for vmctl_vm_put(), or NULL if there is none that the
 * client may see.
 */
struct vmctl_vm *vmctl_vm_find(struct vmctl_client *client, u32 id)
{
	struct vmctl_vm *vm;

	guard(mutex)(&vmctl_lock);

	list_for_each_entry(vm, &vmctl_vms, node) {
		if (vm->id != id)
			continue;
		if (!client->admin && vm->user != client->user)
			return NULL;
		return kref_get_unless_zero(&vm->kref) ? vm : NULL;
	}
	return NULL;
}

/**
 * vmctl_vm_revoke - end every use of a VM
 * @vm: which
 *
 * When this returns no new command gets in. Those inside finish; vCPU threads
 * are brought out of KVM_RUN; the last to leave releases KVM's files.
 */
void vmctl_vm_revoke(struct vmctl_vm *vm)
{
	struct vmctl_vcpu *vcpu;

	scoped_guard(mutex, &vm->lock) {
		if (vm->revoked)
			return;
		WRITE_ONCE(vm->revoked, true);
		if (!vm->closed)
			vmctl_port_close(&vm->port);
		list_for_each_entry(vcpu, &vm->vcpus, node) {
			vmctl_vcpu_shut(vcpu);
			vmctl_vcpu_knock(vcpu);
		}
		vm->memory = 0;
	}

	vmctl_vm_say(vm, "revoked by pid %d, uid %u", task_tgid_nr(current),
		     from_kuid(&init_user_ns, current_uid()));
	vmctl_event_vm(vm, VMCTL_EVENT_REVOKED);
	vmctl_status_changed(vm->user);
}

/**
 * vmctl_vm_stats - fill in what stats->vcpu asks for
 * @vm: which
 * @stats: all written but id and vcpu
 *
 * Return: 0; -ENOENT if there is no such open vCPU.
 */
long vmctl_vm_stats(struct vmctl_vm *vm, struct vmctl_stats *stats)
{
	struct vmctl_counters sum = { };
	struct vmctl_vcpu *vcpu;
	u32 counted = 0;

	scoped_guard(mutex, &vm->lock) {
		if (stats->vcpu == VMCTL_ALL_VCPUS)
			vmctl_counters_add(&sum, &vm->gone);
		list_for_each_entry(vcpu, &vm->vcpus, node) {
			if (stats->vcpu != VMCTL_ALL_VCPUS &&
			    stats->vcpu != vcpu->id)
				continue;
			vmctl_counters_add(&sum, &vcpu->counters);
			counted++;
		}
	}
	if (stats->vcpu != VMCTL_ALL_VCPUS && !counted)
		return -ENOENT;

	stats->flags = vm->flags;
	stats->vcpus = counted;
	stats->errors = sum.errors;
	stats->run_ns = sum.run_ns;
	memcpy(stats->exits, sum.exits, sizeof(stats->exits));
	stats->runs = sum.errors;
	for (int i = 0; i < VMCTL_EXIT_REASONS; i++)
		stats->runs += sum.exits[i];
	return 0;
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct vmctl_vm *vm = file->private_data;

	scoped_guard(mutex, &vm->lock) {
		vm->closed = true;
		if (!vm->revoked && vm->port.kvm)
			vmctl_port_close(&vm->port);
	}
	vmctl_vm_put(vm);
	return 0;
}

static long vm_dispatch(struct file *file, unsigned int cmd,
			unsigned long arg, bool compat)
{
	struct vmctl_vm *vm = file->private_data;
	struct vmctl_call call = {
		.cmd = cmd,
		.arg = arg,
		.compat = compat,
		.vm = vm,
		.port = &vm->port,
	};

	return vmctl_dispatch(&call);
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return vm_dispatch(file, cmd, arg, false);
}

#ifdef CONFIG_COMPAT
static long vm_compat_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	return vm_dispatch(file, cmd, arg, true);
}
#endif

static const struct file_operations vm_fops = {
	.owner		= THIS_MODULE,
	.release	= vm_release,
	.unlocked_ioctl	= vm_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= vm_compat_ioctl,
#endif
	.llseek		= noop_llseek,
};

/*
 * The fd that KVM is to give the VM. Its own would do, but for VMs that live on
 * under another fd, and for KVM's folder in debugfs, which may outlive the VM for
 * a moment: so the numbers go round.
 */
static void choose_number(struct vmctl_vm *vm)
{
	static unsigned long turn;
	unsigned long limit = clamp_t(unsigned long, rlimit(RLIMIT_NOFILE),
				      1, VMCTL_NUMBERS);
	DECLARE_BITMAP(taken, VMCTL_NUMBERS) = { };
	unsigned long start, number;
	struct vmctl_vm *other;

	scoped_guard(mutex, &vmctl_lock) {
		start = turn++ % limit;
		list_for_each_entry(other, &vmctl_vms, node)
			if (other->tid == vm->tid)
				__set_bit(other->number, taken);
	}

	number = find_next_zero_bit(taken, limit, start);
	if (number >= limit)
		number = find_first_zero_bit(taken, limit);
	vm->number = number < limit ? number : 0;
}

static struct vmctl_vm *vm_alloc(u32 flags, const char *name)
{
	struct vmctl_bill *bill;
	struct vmctl_user *user;
	struct vmctl_vm *vm;
	int ret;

	vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);

	user = vmctl_user_get(current_uid());
	if (IS_ERR(user)) {
		kfree(vm);
		return ERR_CAST(user);
	}

	kref_init(&vm->kref);
	INIT_LIST_HEAD(&vm->node);
	INIT_LIST_HEAD(&vm->vcpus);
	init_rwsem(&vm->making);
	mutex_init(&vm->slots);
	mutex_init(&vm->lock);
	vm->flags = flags;
	vm->user = user;
	vm->pid = get_pid(task_tgid(current));
	vm->tid = task_pid_nr(current);
	set_name(vm, name);
	bill = vmctl_bill_open(user);
	if (IS_ERR(bill)) {
		ret = PTR_ERR(bill);
		goto err_vm;
	}
	ret = vmctl_port_prepare(&vm->port, vm->pid, bill);
	vmctl_bill_put(bill);
	if (ret)
		goto err_vm;
	choose_number(vm);
	return vm;

err_vm:
	vmctl_vm_put(vm);
	return ERR_PTR(ret);
}

static bool id_is_taken(u32 id)
{
	struct vmctl_vm *vm;

	lockdep_assert_held(&vmctl_lock);

	list_for_each_entry(vm, &vmctl_vms, node)
		if (vm->id == id)
			return true;
	return !id;
}

/* From here on the VM has an id, and stands in the table. */
static void vm_publish(struct vmctl_vm *vm)
{
	scoped_guard(mutex, &vmctl_lock) {
		do
			vm->id = ++vmctl_last_id;
		while (id_is_taken(vm->id));
		list_add_tail(&vm->node, &vmctl_vms);
	}
	vmctl_debug_add(vm);
	trace_vm_create(vm);
	vmctl_event_vm(vm, VMCTL_EVENT_CREATED);
	vmctl_vm_say(vm, "created");
	vmctl_status_changed(vm->user);
}

/**
 * vmctl_vm_create - make a VM and its fd
 * @call: on the system fd; call->file is set
 * @type: KVM's machine type
 * @flags: VMCTL_VM_*
 * @name: for people
 * @id: set to the VM's id, if not NULL
 *
 * Return: the fd, under which the dispatcher is to publish call->file; or a
 * negative errno, and nothing has been made.
 */
long vmctl_vm_create(struct vmctl_call *call, unsigned long type, u32 flags,
		     const char *name, u32 *id)
{
	struct file *system, *file, *kvm;
	struct vmctl_vm *vm;
	int fd, ret;

	/* KVM's answer to a type that it does not have: see KVM_CAP_VM_TYPES. */
	if (type)
		return -EINVAL;
	ret = vmctl_client_kvm(call->client, &system);
	if (ret)
		return ret;

	/* Before a number is taken: they are to go round slowly. */
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	vm = vm_alloc(flags, name);
	if (IS_ERR(vm)) {
		ret = PTR_ERR(vm);
		goto err_fd;
	}

	file = anon_inode_getfile("vmctl-vm", &vm_fops, vm, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		vmctl_vm_put(vm);
		goto err_fd;
	}

	/* From here on the file owns the VM. */
	ret = vmctl_airlock_ioctl(system, KVM_CREATE_VM, type, vm->number,
				  &kvm);
	if (ret)
		goto err_file;
	vmctl_port_open(&vm->port, kvm, 1);
	vm_publish(vm);

	if (id)
		*id = vm->id;
	call->file = file;
	return fd;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return ret;
}
