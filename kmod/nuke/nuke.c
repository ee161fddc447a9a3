// SPDX-License-Identifier: GPL-2.0
/*
 * nuke: character devices to learn on, /dev/nuke0, /dev/nuke1 and so on.
 *
 *   read    gives one line, a warning; each open file reads it once, from a
 *           position of its own
 *   write   of the four secret bytes, and of nothing more or less, prints a
 *           picture to the kernel log
 *
 * Only root can open them. Reading is harmless, in spite of what it says.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "../compat.h"

#define NUKE_MODE	0600
#define NUKE_MAX	256

/* Red, and the terminal's own colour again: whole within each line. */
#define RED		"\x1b[31m"
#define PLAIN		"\x1b[0m"

static int count = 2;
module_param(count, int, 0444);
MODULE_PARM_DESC(count, "number of devices, 1 to " __stringify(NUKE_MAX));

/**
 * struct nuke - one device
 * @cdev: what open() finds by the number of the node
 * @index: the number in its name
 * @limit: of the lines about incorrect secrets; who floods one device does not
 *         silence the others
 */
struct nuke {
	struct cdev cdev;
	int index;
	struct ratelimit_state limit;
};

static struct nuke *nukes;
static dev_t nuke_first;
static struct class *nuke_class;

/* With the newline that makes it a line on a terminal. */
static const char warning[] = "This is dangerous!\n";
#define WARNING_LENGTH	(sizeof(warning) - 1)

static const u8 secret[] = { 0x01, 0x14, 0x05, 0x14 };

/* Pictures of several writers come one after the other. */
static DEFINE_MUTEX(picture_lock);

static const char * const picture[] = {
	"                .  *  .  '  .  *  .",
	"           *  (    ( @@@@@@@ )    )  *",
	"        .  ( @@@@@@@@@@@@@@@@@@@@@@@ )  .",
	"         (@@@@@@@ @@@@@@@@@@@ @@@@@@@)",
	"       ( @@@@@@@@@@@@@@@@@@@@@@@@@@@@@ )",
	"        (@@@@@@@@@@@@@@@@@@@@@@@@@@@@@)",
	"          '~ (@@@@@@@@@@@@@@@@@@@) ~'",
	"                ' '(@@@@@@@)' '",
	"                    |@@@@@|",
	"                     |@@@|",
	"                     |@@@|",
	"                    (@@@@@)",
	"         . : : : :(@@@@@@@@@): : : : .",
	"    . : : :(@@@@@@@@@@@@@@@@@@@@@@@): : : .",
	"  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
	"                  B  O  O  M",
};

static int nuke_open(struct inode *inode, struct file *file)
{
	file->private_data = container_of(inode->i_cdev, struct nuke, cdev);
	return 0;
}

/*
 * Never more than is there, wherever the caller stands and however much he
 * asks for: past the end there is nothing.
 */
static ssize_t nuke_read(struct file *file, char __user *buf, size_t size,
			 loff_t *pos)
{
	return simple_read_from_buffer(buf, size, pos, warning, WARNING_LENGTH);
}

static loff_t nuke_llseek(struct file *file, loff_t offset, int whence)
{
	return fixed_size_llseek(file, offset, whence, WARNING_LENGTH);
}

/*
 * Each line is a message of its own, of a level that consoles show even under
 * "quiet"; not KERN_EMERG, which loggers send to every terminal.
 */
static int explode(void)
{
	size_t i;

	if (mutex_lock_interruptible(&picture_lock))
		return -ERESTARTSYS;
	for (i = 0; i < ARRAY_SIZE(picture); i++)
		pr_crit(RED "%s" PLAIN "\n", picture[i]);
	mutex_unlock(&picture_lock);
	return 0;
}

/*
 * One write is one attempt, so a write of another length is an incorrect
 * secret, whatever it begins with. All bytes count as written, for nothing to
 * be left that the caller would try again; where in the file does not matter
 * and does not change. A write of nothing is no attempt.
 */
static ssize_t nuke_write(struct file *file, const char __user *buf,
			  size_t size, loff_t *pos)
{
	struct nuke *nuke = file->private_data;
	u8 bytes[sizeof(secret)];
	int ret;

	if (!size)
		return 0;
	if (copy_from_user(bytes, buf, min(size, sizeof(bytes))))
		return -EFAULT;

	if (size == sizeof(secret) && !memcmp(bytes, secret, sizeof(secret))) {
		ret = explode();
		if (ret)
			return ret;
	} else if (__ratelimit(&nuke->limit)) {
		pr_warn("nuke%d: incorrect secret\n", nuke->index);
	}
	return size;
}

static const struct file_operations nuke_fops = {
	.owner	= THIS_MODULE,
	.open	= nuke_open,
	.read	= nuke_read,
	.write	= nuke_write,
	.llseek	= nuke_llseek,
};

static char *nuke_devnode(VMCTL_DEVNODE_CONST struct device *device,
			  umode_t *mode)
{
	if (mode)
		*mode = NUKE_MODE;
	return NULL;
}

/* Who knows the number can open the device from cdev_add() on. */
static int nuke_add(struct nuke *nuke, int index)
{
	dev_t number = MKDEV(MAJOR(nuke_first), MINOR(nuke_first) + index);
	struct device *device;
	int ret;

	nuke->index = index;
	ratelimit_state_init(&nuke->limit, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);

	cdev_init(&nuke->cdev, &nuke_fops);
	nuke->cdev.owner = THIS_MODULE;
	ret = cdev_add(&nuke->cdev, number, 1);
	if (ret)
		return ret;

	device = device_create(nuke_class, NULL, number, NULL, "nuke%d", index);
	if (IS_ERR(device)) {
		cdev_del(&nuke->cdev);
		return PTR_ERR(device);
	}
	return 0;
}

static void nuke_remove(struct nuke *nuke)
{
	device_destroy(nuke_class, nuke->cdev.dev);
	cdev_del(&nuke->cdev);
}

static int __init nuke_init(void)
{
	int made, ret;

	if (count < 1 || count > NUKE_MAX) {
		pr_err("count=%d: there can be 1 to %d devices\n", count,
		       NUKE_MAX);
		return -EINVAL;
	}

	nukes = kcalloc(count, sizeof(*nukes), GFP_KERNEL);
	if (!nukes)
		return -ENOMEM;

	ret = alloc_chrdev_region(&nuke_first, 0, count, KBUILD_MODNAME);
	if (ret)
		goto err_nukes;

	nuke_class = vmctl_class_create(KBUILD_MODNAME);
	if (IS_ERR(nuke_class)) {
		ret = PTR_ERR(nuke_class);
		goto err_region;
	}
	nuke_class->devnode = nuke_devnode;

	for (made = 0; made < count; made++) {
		ret = nuke_add(&nukes[made], made);
		if (ret)
			goto err_devices;
	}

	pr_info("%d device%s, major number %u\n", count, count == 1 ? "" : "s",
		MAJOR(nuke_first));
	return 0;

err_devices:
	while (made--)
		nuke_remove(&nukes[made]);
	/* Unregisters the class, too: to do that before would be once too often. */
	class_destroy(nuke_class);
err_region:
	unregister_chrdev_region(nuke_first, count);
err_nukes:
	kfree(nukes);
	return ret;
}
module_init(nuke_init);

/* No device is open: each open file holds the module by the owner of its cdev. */
static void __exit nuke_exit(void)
{
	int left = count;

	while (left--)
		nuke_remove(&nukes[left]);
	class_destroy(nuke_class);
	unregister_chrdev_region(nuke_first, count);
	kfree(nukes);
	pr_info("unloaded\n");
}
module_exit(nuke_exit);

MODULE_AUTHOR("The vmctl authors");
MODULE_DESCRIPTION("Character devices to learn on: /dev/nuke0, /dev/nuke1");
MODULE_LICENSE("GPL");
