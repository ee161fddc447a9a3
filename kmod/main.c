// SPDX-License-Identifier: GPL-2.0
/*
 * vmctl: KVM behind a policed door. The character device and its system fd.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/capability.h>
#include <linux/cdev.h>
#include <linux/cred.h>
#include <linux/device.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/slab.h>

#include "compat.h"
#include "debug.h"
#include "event.h"
#include "limit.h"
#include "table.h"
#include "vmctl.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

#define VMCTL_MODE	0660

static dev_t vmctl_dev;
static struct cdev vmctl_cdev;
static struct class *vmctl_class;

struct workqueue_struct *vmctl_wq;

static struct vmctl_client *client_of(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

/**
 * vmctl_client_kvm - KVM's system file of this client
 * @client: whose
 * @kvm: set to the file, which the client owns
 *
 * Opened once and then kept, as opening costs ten times a short command.
 *
 * Return: 0; -ENODEV if KVM is not there; -ENOMEM.
 */
int vmctl_client_kvm(struct vmctl_client *client, struct file **kvm)
{
	struct file *file;
	int ret;

	/* Pairs with the store below: who sees the file sees it whole. */
	file = smp_load_acquire(&client->kvm);
	if (!file) {
		guard(mutex)(&client->lock);

		file = client->kvm;
		if (!file) {
			ret = vmctl_kvm_open(&file);
			if (ret)
				return ret;
			/* Pairs with the load above. */
			smp_store_release(&client->kvm, file);
		}
	}
	*kvm = file;
	return 0;
}

static int vmctl_open(struct inode *inode, struct file *file)
{
	struct vmctl_client *client;
	int ret;

	client = kzalloc(sizeof(*client), GFP_KERNEL_ACCOUNT);
	if (!client)
		return -ENOMEM;

	mutex_init(&client->lock);
	client->admin = ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN);
	client->seen = U64_MAX;
	client->user = vmctl_user_get(current_uid());
	if (IS_ERR(client->user)) {
		ret = PTR_ERR(client->user);
		goto err_client;
	}

	ret = single_open(file, vmctl_status_show, client);
	if (ret)
		goto err_user;
	return 0;

err_user:
	vmctl_user_put(client->user);
err_client:
	kfree(client);
	return ret;
}

static int vmctl_release(struct inode *inode, struct file *file)
{
	struct vmctl_client *client = client_of(file);

	single_release(inode, file);
	if (client->kvm)
		fput(client->kvm);
	vmctl_user_put(client->user);
	kfree(client);
	return 0;
}

static long system_ioctl(struct file *file, unsigned int cmd,
			 unsigned long arg, bool compat)
{
	struct vmctl_call call = {
		.cmd = cmd,
		.arg = arg,
		.compat = compat,
		.client = client_of(file),
	};

	return vmctl_dispatch(&call);
}

static long vmctl_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	return system_ioctl(file, cmd, arg, false);
}

#ifdef CONFIG_COMPAT
static long vmctl_compat_ioctl(struct file *file, unsigned int cmd,
			       unsigned long arg)
{
	return system_ioctl(file, cmd, arg, true);
}
#endif

static const struct file_operations vmctl_fops = {
	.owner		= THIS_MODULE,
	.open		= vmctl_open,
	.release	= vmctl_release,
	.read_iter	= seq_read_iter,
	.write		= vmctl_status_write,
	.llseek		= seq_lseek,
	.poll		= vmctl_status_poll,
	.unlocked_ioctl	= vmctl_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= vmctl_compat_ioctl,
#endif
};

static char *vmctl_devnode(VMCTL_DEVNODE_CONST struct device *dev,
			   umode_t *mode)
{
	if (mode)
		*mode = VMCTL_MODE;
	return NULL;
}

static int __init vmctl_init(void)
{
	struct device *device;
	int ret;

	vmctl_table_init();
	vmctl_vm_init();
	vmctl_limit_init();
	vmctl_bill_init();

	ret = vmctl_event_init();
	if (ret)
		return ret;

	vmctl_debug_init();
	vmctl_wq = alloc_workqueue("vmctl", WQ_UNBOUND, 0);
	if (!vmctl_wq) {
		ret = -ENOMEM;
		goto err_events;
	}

	ret = vmctl_airlock_init();
	if (ret)
		goto err_wq;

	ret = alloc_chrdev_region(&vmctl_dev, 0, 1, KBUILD_MODNAME);
	if (ret)
		goto err_airlock;

	vmctl_class = vmctl_class_create(KBUILD_MODNAME);
	if (IS_ERR(vmctl_class)) {
		ret = PTR_ERR(vmctl_class);
		goto err_region;
	}
	vmctl_class->devnode = vmctl_devnode;

	cdev_init(&vmctl_cdev, &vmctl_fops);
	vmctl_cdev.owner = THIS_MODULE;
	ret = cdev_add(&vmctl_cdev, vmctl_dev, 1);
	if (ret)
		goto err_class;

	device = device_create_with_groups(vmctl_class, NULL, vmctl_dev, NULL,
					   vmctl_limit_groups, KBUILD_MODNAME);
	if (IS_ERR(device)) {
		ret = PTR_ERR(device);
		goto err_cdev;
	}

	pr_info("version %s, /dev/%s is %u:%u\n", VMCTL_VERSION,
		KBUILD_MODNAME, MAJOR(vmctl_dev), MINOR(vmctl_dev));
	return 0;

err_cdev:
	cdev_del(&vmctl_cdev);
err_class:
	class_destroy(vmctl_class);
err_region:
	unregister_chrdev_region(vmctl_dev, 1);
err_airlock:
	vmctl_airlock_exit();
err_wq:
	destroy_workqueue(vmctl_wq);
err_events:
	vmctl_debug_exit();
	vmctl_event_exit();
	return ret;
}
module_init(vmctl_init);

static void __exit vmctl_exit(void)
{
	device_destroy(vmctl_class, vmctl_dev);
	cdev_del(&vmctl_cdev);
	class_destroy(vmctl_class);
	unregister_chrdev_region(vmctl_dev, 1);
	vmctl_airlock_exit();
	vmctl_vcpu_exit();
	destroy_workqueue(vmctl_wq);
	vmctl_limit_exit();
	vmctl_debug_exit();
	vmctl_event_exit();
	pr_info("unloaded\n");
}
module_exit(vmctl_exit);

MODULE_AUTHOR("The vmctl authors");
MODULE_DESCRIPTION("KVM behind a policed door: /dev/vmctl");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMCTL_VERSION);
MODULE_SOFTDEP("pre: kvm");
