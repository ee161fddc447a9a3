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

#include "compat.h"
#include "vmctl.h"

/* Protected by kernel_param_lock(), as it may change while it is read. */
static char *kvm_path = "/dev/kvm";

/* As a shell writes it, with a newline behind it. */
static int set_kvm_path(const char *text, const struct kernel_param *param)
{
	char *path;
	int err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	path = kstrndup(text, strcspn(text, "\n"), GFP_KERNEL);
	if (!path)
		return -ENOMEM;
	err = param_set_charp(path, param);
	kfree(path);
	return err;
}

static const struct kernel_param_ops kvm_path_ops = {
	.set = set_kvm_path,
	.get = param_get_charp,
	.free = param_free_charp,
};

module_param_cb(kvm_path, &kvm_path_ops, &kvm_path, 0644);
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
	char *path;

	kernel_param_lock(THIS_MODULE);
	path = kstrdup(kvm_path, GFP_KERNEL);
	kernel_param_unlock(THIS_MODULE);
	if (!path) {
		opening->file = ERR_PTR(-ENOMEM);
		return;
	}

	task_lock(&init_task);
	get_fs_root(init_task.fs, &root);
	task_unlock(&init_task);

	opening->file = file_open_root(&root, path, O_RDWR | O_CLOEXEC, 0);
	path_put(&root);
	kfree(path);
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
		pr_debug("cannot open KVM's node: %pe\n", file);
		return -ENODEV;
	}
	if (!is_kvm(file)) {
		pr_warn_ratelimited("what kvm_path names is not KVM's device node (%u:%u)\n",
				    MISC_MAJOR, KVM_MINOR);
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

/* Good as long as the file. */
struct kvm_run *vmctl_kvm_run_page(struct file *vcpu)
{
	return vcpu_of(vcpu)->run;
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

/* Pages in the user's slots of an address space, but for one slot. */
static u64 pages_without(struct kvm *kvm, int as_id, int id)
{
	struct kvm_memory_slot *slot;
	u64 pages = 0;
	int bucket;

	kvm_for_each_memslot(slot, bucket, __kvm_memslots(kvm, as_id)) {
		if (slot->id < KVM_USER_MEM_SLOTS && slot->id != id)
			pages += slot->npages;
	}
	return pages;
}

/* KVM's encoding of both in one number. */
static int space_of(const struct kvm_userspace_memory_region *region)
{
	return region->slot >> 16;
}

static int slot_of(const struct kvm_userspace_memory_region *region)
{
	return (u16)region->slot;
}

/**
 * vmctl_kvm_memory_with - what the slots hold once a region is set
 * @vm: KVM's VM file; nobody else sets regions meanwhile
 * @region: as KVM_SET_USER_MEMORY_REGION gets it
 *
 * An address space for SMM shows the same memory once more, with some of its
 * own: what counts is the fullest.
 *
 * Return: bytes; limited to U64_MAX.
 */
u64 vmctl_kvm_memory_with(struct file *vm,
			  const struct kvm_userspace_memory_region *region)
{
	struct kvm *kvm = vm_of(vm);
	u64 most = 0;
	u64 pages;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	for (int as_id = 0; as_id < VMCTL_ADDRESS_SPACES(kvm); as_id++) {
		bool here = as_id == space_of(region);

		pages = pages_without(kvm, as_id, here ? slot_of(region) : -1);
		if (here)
			pages += region->memory_size >> PAGE_SHIFT;
		most = max(most, pages);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return most > U64_MAX >> PAGE_SHIFT ? U64_MAX : most << PAGE_SHIFT;
}

/* Whether another slot of its address space has some of a region's addresses. */
bool vmctl_kvm_overlaps(struct file *vm,
			const struct kvm_userspace_memory_region *region)
{
	struct kvm *kvm = vm_of(vm);
	gfn_t first = region->guest_phys_addr >> PAGE_SHIFT;
	gfn_t end = first + (region->memory_size >> PAGE_SHIFT);
	struct kvm_memory_slot *slot;
	bool overlaps = false;
	int bucket;
	int idx;

	if (space_of(region) >= VMCTL_ADDRESS_SPACES(kvm))
		return false;
	idx = srcu_read_lock(&kvm->srcu);
	kvm_for_each_memslot(slot, bucket,
			     __kvm_memslots(kvm, space_of(region))) {
		if (slot->id != slot_of(region) && slot->base_gfn < end &&
		    first < slot->base_gfn + slot->npages) {
			overlaps = true;
			break;
		}
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return overlaps;
}

/* Whether KVM has what it was told. */
bool vmctl_kvm_has_slot(struct file *vm,
			const struct kvm_userspace_memory_region *region)
{
	struct kvm *kvm = vm_of(vm);
	struct kvm_memory_slot *slot;
	bool has;
	int idx;

	idx = srcu_read_lock(&kvm->srcu);
	slot = id_to_memslot(__kvm_memslots(kvm, space_of(region)),
			     slot_of(region));
	if (!slot || !slot->npages)
		has = !region->memory_size;
	else
		has = slot->base_gfn == region->guest_phys_addr >> PAGE_SHIFT &&
		      slot->npages == region->memory_size >> PAGE_SHIFT &&
		      slot->userspace_addr == region->userspace_addr;
	srcu_read_unlock(&kvm->srcu, idx);
	return has;
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
