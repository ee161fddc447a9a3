// SPDX-License-Identifier: GPL-2.0
/*
 * Ports: how KVM's files are let go.
 *
 * Whoever drops KVM's last reference to a VM destroys it, and may have to wait
 * for the process that created it: newer KVMs end a thread there, which cannot
 * end while that process is stopped. Who revokes a VM, reads the table
 * or closes an fd that was sent to him must not wait for that. So the files
 * are released by the creator; or else, each by a thread of its own, as a
 * worker could be made to wait, too, and others behind it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "vmctl.h"

/**
 * struct vmctl_parting - a file on its way out, with a reference to the module
 * @work: finds the thread; a caller who is being killed could not
 * @file: KVM's
 */
struct vmctl_parting {
	struct delayed_work work;
	struct file *file;
};

static int part(void *data)
{
	struct vmctl_parting *parting = data;

	__fput_sync(parting->file);
	kfree(parting);
	module_put_and_kthread_exit(0);
}

static void find_thread(struct work_struct *work)
{
	struct vmctl_parting *parting =
		container_of(to_delayed_work(work), struct vmctl_parting, work);
	struct task_struct *task;

	task = kthread_run(part, parting, "vmctl-release");
	if (IS_ERR(task))
		queue_delayed_work(vmctl_wq, &parting->work, HZ / 10);
}

/**
 * vmctl_port_prepare - get all that could fail done
 * @port: all zero
 * @creator: of the VM; outlives the port
 *
 * Return: 0, and vmctl_port_free() must follow at the end; -ENOMEM.
 */
int vmctl_port_prepare(struct vmctl_port *port, struct pid *creator)
{
	struct vmctl_parting *parting;

	parting = kmalloc(sizeof(*parting), GFP_KERNEL_ACCOUNT);
	if (!parting)
		return -ENOMEM;
	INIT_DELAYED_WORK(&parting->work, find_thread);
	port->parting = parting;
	port->creator = creator;
	return 0;
}

/* The port owns the file from here on. */
void vmctl_port_open(struct vmctl_port *port, struct file *kvm, int users)
{
	port->kvm = kvm;
	refcount_set(&port->users, users);
}

/* The last one has left. */
void vmctl_port_release(struct vmctl_port *port)
{
	struct vmctl_parting *parting = port->parting;

	if (task_tgid(current) == port->creator) {
		fput(port->kvm);
		return;
	}
	port->parting = NULL;
	parting->file = port->kvm;
	__module_get(THIS_MODULE);
	queue_delayed_work(vmctl_wq, &parting->work, 0);
}

void vmctl_port_free(struct vmctl_port *port)
{
	kfree(port->parting);
}
