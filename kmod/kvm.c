// SPDX-License-Identifier: GPL-2.0
/*
 * KVM as this module sees it. Nothing else here knows KVM's structures.
 *
 * KVM exports its functions to its own modules only, so it is reached through
 * its files: their f_op, and what their private_data points to
 * (linux/kvm_host.h of the very kernel that the module runs on).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs_struct.h>
#include <linux/kdev_t.h>
#include <linux/kvm_host.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/path.h>
#include <linux/sched/task.h>
#include <linux/vmalloc.h>

#include "vmctl.h"

static char *kvm_path = "/dev/kvm";
module_param(kvm_path, charp, 0444);
MODULE_PARM_DESC(kvm_path, "KVM's device node, seen from the root of the initial mount namespace");

/* The node must be KVM's misc device, whatever stands at kvm_path. */
static bool is_kvm(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISCHR(inode->i_mode) &&
	       inode->i_rdev == MKDEV(MISC_MAJOR, KVM_MINOR) &&
	       file->f_op->unlocked_ioctl &&
	       (file->f_op->compat_ioctl || !IS_ENABLED(CONFIG_COMPAT));
}

/**
 * struct opening - the node being opened, in a worker
 * @work: on vmctl_wq
 * @file: the result
 */
struct opening {
	struct work_struct work;
	struct file *file;
};

static void open_node(struct work_struct *work)
{
	struct opening *opening = container_of(work, struct opening, work);
	struct path root;

	task_lock(&init_task);
	get_fs_root(init_task.fs, &root);
	task_unlock(&init_task);

	opening->file = file_open_root(&root, kvm_path, O_RDWR | O_CLOEXEC, 0);
	path_put(&root);
}

/*
 * A caller may sit in a mount namespace of his own making, and neither he nor
 * his cgroup need be allowed to open the node. So it is the kernel that opens
 * it: a worker, with the root of init.
 */
static struct file *open_as_kernel(void)
{
	struct opening opening;

	INIT_WORK_ONSTACK(&opening.work, open_node);
	queue_work(vmctl_wq, &opening.work);
	flush_work(&opening.work);
	destroy_work_on_stack(&opening.work);
	return opening.file;
}

/**
 * vmctl_kvm_open - open KVM's device node
 * @kvm: set to its file, to be released with fput()
 *
 * Return: 0; -ENODEV if nothing can be opened there or it is not KVM's node;
 * -ENOMEM.
 */
int vmctl_kvm_open(struct file **kvm)
{
	struct file *file = open_as_kernel();

	if (IS_ERR(file)) {
		if (PTR_ERR(file) == -ENOMEM)
			return -ENOMEM;
		pr_debug("cannot open %s: %pe\n", kvm_path, file);
		return -ENODEV;
	}
	if (!is_kvm(file)) {
		pr_warn_ratelimited("%s is not KVM's device node (%u:%u)\n",
				    kvm_path, MISC_MAJOR, KVM_MINOR);
		fput(file);
		return -ENODEV;
	}
	*kvm = file;
	return 0;
}

static struct kvm *vm_of(struct file *vm)
{
	return vm->private_data;
}

static struct kvm_vcpu *vcpu_of(struct file *vcpu)
{
	return vcpu->private_data;
}

/*
 * Where KVM_RUN leaves why it came back; good as long as the file. User space
 * can write there too: it does for counting, not for trust.
 */
const u32 *vmctl_kvm_exit_reason(struct file *vcpu)
{
	return &vcpu_of(vcpu)->run->exit_reason;
}

bool vmctl_kvm_is_creator(struct file *vm)
{
	return vm_of(vm)->mm == current->mm;
}

bool vmctl_kvm_vcpu_is_creator(struct file *vcpu)
{
	return vcpu_of(vcpu)->kvm->mm == current->mm;
}

/**
 * vmctl_kvm_page - a page of what mmap() of a vCPU shows
 * @vcpu: KVM's vCPU file
 * @pgoff: which page; the offsets are part of KVM's interface
 *
 * Return: the page, with a reference, or NULL if there is none.
 */
struct page *vmctl_kvm_page(struct file *file, pgoff_t pgoff)
{
	struct kvm_vcpu *vcpu = vcpu_of(file);
	struct page *page;
	u64 ring;

	switch (pgoff) {
	case 0:
		page = virt_to_page(vcpu->run);
		break;
	case KVM_PIO_PAGE_OFFSET:
		page = virt_to_page(vcpu->arch.pio_data);
		break;
	case KVM_COALESCED_MMIO_PAGE_OFFSET:
		page = virt_to_page(vcpu->kvm->coalesced_mmio_ring);
		break;
	default:
		if (pgoff < KVM_DIRTY_LOG_PAGE_OFFSET)
			return NULL;
		ring = ((u64)pgoff - KVM_DIRTY_LOG_PAGE_OFFSET) << PAGE_SHIFT;
		if (!vcpu->dirty_ring.dirty_gfns ||
		    ring >= vcpu->kvm->dirty_ring_size)
			return NULL;
		page = vmalloc_to_page((void *)vcpu->dirty_ring.dirty_gfns +
				       ring);
	}
	get_page(page);
	return page;
}

/* Bytes in the user's memory slots of address space 0. */
u64 vmctl_kvm_memory(struct file *vm)
{
	struct kvm *kvm = vm_of(vm);
	struct kvm_memory_slot *slot;
	struct kvm_memslots *slots;
	u64 pages = 0;
	int bucket;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slots = kvm_memslots(kvm);
	kvm_for_each_memslot(slot, bucket, slots) {
		if (slot->id < KVM_USER_MEM_SLOTS)
			pages += slot->npages;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return pages << PAGE_SHIFT;
}

/**
 * vmctl_kvm_range - where guest memory lies in its creator's address space
 * @vm: KVM's VM file
 * @gpa: guest physical address
 * @length: bytes wanted, not 0; @gpa + @length does not wrap
 * @hva: set to the user address of @gpa
 * @found: set to the bytes that lie there side by side, at most @length
 *
 * The answer is a snapshot: slots may change as soon as this returns. What is
 * then written there is the creator's own memory all the same.
 *
 * Return: 0; -EFAULT if no memory slot holds @gpa.
 */
int vmctl_kvm_range(struct file *vm, u64 gpa, u64 length, unsigned long *hva,
		    u64 *found)
{
	struct kvm *kvm = vm_of(vm);
	struct kvm_memory_slot *slot;
	u64 offset;
	int ret = -EFAULT;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(kvm), gpa >> PAGE_SHIFT);
	if (slot && slot->id < KVM_USER_MEM_SLOTS) {
		offset = gpa - ((u64)slot->base_gfn << PAGE_SHIFT);
		*hva = slot->userspace_addr + offset;
		*found = min(length,
			     ((u64)slot->npages << PAGE_SHIFT) - offset);
		ret = 0;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return ret;
}
