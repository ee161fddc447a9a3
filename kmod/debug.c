// SPDX-License-Identifier: GPL-2.0
/*
 * VMs in debugfs, where that is mounted: a folder vmctl/ID for each, for root.
 *
 *   name    escaped as in the table
 *   owner   uid and pid of the creator, in the initial namespaces
 *   kvm     KVM's own folder for it, beside vmctl: kvm/PID-FD
 *   vcpus   a line for each: id, whether it is in KVM_RUN, exits, errors
 *   exits   a line for each reason that occurred: its number, how often
 *   memory  bytes in its memory slots
 */
#include <linux/debugfs.h>
#include <linux/pid.h>
#include <linux/seq_file.h>

#include "debug.h"
#include "vmctl.h"

static struct dentry *root;

static int name_show(struct seq_file *m, void *unused)
{
	const struct vmctl_vm *vm = m->private;

	seq_printf(m, "%s\n", vm->shown);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(name);

static int owner_show(struct seq_file *m, void *unused)
{
	const struct vmctl_vm *vm = m->private;

	seq_printf(m, "%u %d\n", from_kuid(&init_user_ns, vm->user->uid),
		   pid_nr(vm->pid));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(owner);

static int kvm_show(struct seq_file *m, void *unused)
{
	const struct vmctl_vm *vm = m->private;

	seq_printf(m, "%d-%u\n", vm->tid, vm->number);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(kvm);

static int vcpus_show(struct seq_file *m, void *unused)
{
	struct vmctl_vm *vm = m->private;
	struct vmctl_vcpu *vcpu;
	u64 exits;

	guard(mutex)(&vm->lock);

	list_for_each_entry(vcpu, &vm->vcpus, node) {
		struct vmctl_counters counters = { };

		exits = vmctl_counters_add(&counters, &vcpu->counters);
		seq_printf(m, "%u %s %llu %llu\n", vcpu->id,
			   vmctl_vcpu_runs(vcpu) ? "running" : "out", exits,
			   counters.errors);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(vcpus);

static int exits_show(struct seq_file *m, void *unused)
{
	struct vmctl_vm *vm = m->private;
	struct vmctl_counters sum = { };
	struct vmctl_vcpu *vcpu;

	scoped_guard(mutex, &vm->lock) {
		vmctl_counters_add(&sum, &vm->gone);
		list_for_each_entry(vcpu, &vm->vcpus, node)
			vmctl_counters_add(&sum, &vcpu->counters);
	}
	for (int i = 0; i < VMCTL_EXIT_REASONS; i++)
		if (sum.exits[i])
			seq_printf(m, "%d %llu\n", i, sum.exits[i]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(exits);

static int memory_show(struct seq_file *m, void *unused)
{
	struct vmctl_vm *vm = m->private;

	guard(mutex)(&vm->lock);

	seq_printf(m, "%llu\n", vm->memory);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(memory);

/* Debugfs may be left out, and does not matter: no errors. */
void vmctl_debug_add(struct vmctl_vm *vm)
{
	char id[sizeof("4294967295")];
	struct dentry *folder;

	snprintf(id, sizeof(id), "%u", vm->id);
	folder = debugfs_create_dir(id, root);
	debugfs_create_file("name", 0400, folder, vm, &name_fops);
	debugfs_create_file("owner", 0400, folder, vm, &owner_fops);
	debugfs_create_file("kvm", 0400, folder, vm, &kvm_fops);
	debugfs_create_file("vcpus", 0400, folder, vm, &vcpus_fops);
	debugfs_create_file("exits", 0400, folder, vm, &exits_fops);
	debugfs_create_file("memory", 0400, folder, vm, &memory_fops);
	vm->debug = folder;
}

/* Waits for whoever reads there. */
void vmctl_debug_remove(struct vmctl_vm *vm)
{
	debugfs_remove(vm->debug);
}

void __init vmctl_debug_init(void)
{
	root = debugfs_create_dir(KBUILD_MODNAME, NULL);
}

void vmctl_debug_exit(void)
{
	debugfs_remove(root);
}
