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
 *
 * A file is not released by fput() but a little later, and KVM may take its time
 * then. The bill is not to be paid before: so it hangs on a file of our own, the
 * receipt, that is released behind KVM's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "limit.h"
#include "vmctl.h"

/**
 * struct vmctl_parting - a file on its way out, with a reference to the module
 * @work: finds the thread; a caller who is being killed could not
 * @file: KVM's
 * @receipt: released once it is gone
 */
struct vmctl_parting {
	struct delayed_work work;
	struct file *file;
	struct file *receipt;
};

static int receipt_release(struct inode *inode, struct file *file)
{
	vmctl_bill_put(file->private_data);
	return 0;
}

static const struct file_operations receipt_fops = {
	.owner		= THIS_MODULE,
	.release	= receipt_release,
};

static struct file *receipt_for(struct vmctl_bill *bill)
{
	struct file *file;

	file = anon_inode_getfile("vmctl-bill", &receipt_fops, bill, O_RDONLY);
	if (!IS_ERR(file))
		vmctl_bill_get(bill);
	return file;
}

static int part(void *data)
{
	struct vmctl_parting *parting = data;

	__fput_sync(parting->file);
	__fput_sync(parting->receipt);
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
 * @bill: of the VM; held as long as KVM's file is there
 *
 * Return: 0, and vmctl_port_free() must follow at the end; -ENOMEM; -ENFILE.
 */
int vmctl_port_prepare(struct vmctl_port *port, struct pid *creator,
		       struct vmctl_bill *bill)
{
	struct vmctl_parting *parting;
	struct file *receipt;

	parting = kmalloc(sizeof(*parting), GFP_KERNEL_ACCOUNT);
	if (!parting)
		return -ENOMEM;
	receipt = receipt_for(bill);
	if (IS_ERR(receipt)) {
		kfree(parting);
		return PTR_ERR(receipt);
	}
	port->receipt = receipt;
	INIT_DELAYED_WORK(&parting->work, find_thread);
	port->parting = parting;
	port->creator = creator;
	port->bill = bill;
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
	struct file *receipt = port->receipt;

	port->receipt = NULL;
	if (task_tgid(current) == port->creator) {
		/* What comes last is released first. */
		fput(receipt);
		fput(port->kvm);
		return;
	}
	port->parting = NULL;
	parting->file = port->kvm;
	parting->receipt = receipt;
	__module_get(THIS_MODULE);
	queue_delayed_work(vmctl_wq, &parting->work, 0);
}

void vmctl_port_free(struct vmctl_port *port)
{
	if (port->receipt)
		fput(port->receipt);
	kfree(port->parting);
}
