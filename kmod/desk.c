// SPDX-License-Identifier: GPL-2.0
/*
 * Desks: what is checked is what KVM reads.
 *
 * KVM copies its arguments from user memory itself, so that another thread could
 * change them after they were checked. So the caller's argument is copied once,
 * checked and edited, and the copy is mapped into the caller's address space for
 * the time of the command, read-only and never to be made writable; KVM is given
 * that address.
 *
 * The mapping cannot be split, moved, inherited or written to by ptrace. It can
 * be replaced as a whole, by munmap() or over it by mmap(): that is noticed, and
 * whoever does it loses his VM, as nobody knows what KVM has read.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "desk.h"
#include "vmctl.h"

/**
 * struct surface - what a desk's file holds, until the last mapping is gone
 * @data: the copy
 * @pages: how many that are
 * @gone: a mapping of it has gone
 */
struct surface {
	void *data;
	pgoff_t pages;
	bool gone;
};

static vm_fault_t surface_fault(struct vm_fault *vmf)
{
	struct surface *surface = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= surface->pages)
		return VM_FAULT_SIGBUS;
	vmf->page = vmalloc_to_page(surface->data + (vmf->pgoff << PAGE_SHIFT));
	get_page(vmf->page);
	return 0;
}

static void surface_gone(struct vm_area_struct *vma)
{
	struct surface *surface = vma->vm_file->private_data;

	WRITE_ONCE(surface->gone, true);
}

static int refuse_split(struct vm_area_struct *vma, unsigned long address)
{
	return -EINVAL;
}

static int refuse_move(struct vm_area_struct *vma)
{
	return -EINVAL;
}

static const struct vm_operations_struct surface_vm_ops = {
	.fault		= surface_fault,
	.close		= surface_gone,
	.may_split	= refuse_split,
	.mremap		= refuse_move,
};

static int surface_mmap(struct file *file, struct vm_area_struct *vma)
{
	vmctl_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_ops = &surface_vm_ops;
	return 0;
}

static int surface_release(struct inode *inode, struct file *file)
{
	struct surface *surface = file->private_data;

	vfree(surface->data);
	kfree(surface);
	return 0;
}

/* Opened for reading alone: no mapping of it can ever be written to. */
static const struct file_operations surface_fops = {
	.owner		= THIS_MODULE,
	.mmap		= surface_mmap,
	.release	= surface_release,
};

static struct surface *surface_of(const struct vmctl_desk *desk)
{
	return desk->file->private_data;
}

/**
 * vmctl_desk_open - copy an argument
 * @desk: all written
 * @from: where the caller has it
 * @size: its bytes, not 0
 *
 * Return: 0, and vmctl_desk_close() must follow; -EFAULT; -ENOMEM; -ENFILE.
 */
int vmctl_desk_open(struct vmctl_desk *desk, const void __user *from,
		    size_t size)
{
	struct surface *surface;
	int ret = -ENOMEM;

	surface = kzalloc(sizeof(*surface), GFP_KERNEL_ACCOUNT);
	if (!surface)
		return -ENOMEM;
	/* Whole pages, zeroed: nothing of the kernel's shows behind the copy. */
	surface->data = __vmalloc(PAGE_ALIGN(size),
				  GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!surface->data)
		goto err_surface;
	surface->pages = PAGE_ALIGN(size) >> PAGE_SHIFT;
	ret = -EFAULT;
	if (copy_from_user(surface->data, from, size))
		goto err_data;
	desk->file = anon_inode_getfile("vmctl-desk", &surface_fops, surface,
					O_RDONLY);
	if (IS_ERR(desk->file)) {
		ret = PTR_ERR(desk->file);
		goto err_data;
	}
	desk->data = surface->data;
	desk->size = size;
	desk->user = 0;
	return 0;

err_data:
	vfree(surface->data);
err_surface:
	kfree(surface);
	return ret;
}

/**
 * vmctl_desk_lay_out - show the copy, at desk->user
 * @desk: not to be edited any more once KVM reads there
 *
 * Return: 0; -ENOMEM or another errno of mmap().
 */
int vmctl_desk_lay_out(struct vmctl_desk *desk)
{
	unsigned long user;

	user = vm_mmap(desk->file, 0, PAGE_ALIGN(desk->size), PROT_READ,
		       MAP_SHARED, 0);
	if (IS_ERR_VALUE(user))
		return user;
	desk->user = user;
	return 0;
}

/**
 * vmctl_desk_close - clear away
 * @desk: laid out or not
 *
 * Return: whether it stood there, unchanged, all the time.
 */
bool vmctl_desk_close(struct vmctl_desk *desk)
{
	bool stood = !READ_ONCE(surface_of(desk)->gone);

	/* That may want memory itself; else it stays until the process ends. */
	for (int i = 0; desk->user && stood && i < 3; i++)
		if (!vm_munmap(desk->user, PAGE_ALIGN(desk->size)))
			break;
	fput(desk->file);
	return stood;
}

static bool is_creator(const struct vmctl_call *call)
{
	if (call->vcpu)
		return vmctl_kvm_vcpu_is_creator(call->port->kvm);
	return vmctl_kvm_is_creator(call->port->kvm);
}

static long on_desk(struct vmctl_call *call, size_t size, vmctl_desk_check check)
{
	struct vmctl_desk desk;
	long ret;

	ret = vmctl_desk_open(&desk, vmctl_call_pointer(call), size);
	if (ret)
		return ret;
	ret = vmctl_desk_lay_out(&desk) ?: check(call, &desk);
	if (!ret)
		ret = vmctl_kvm_ioctl(call->port->kvm, call->cmd, desk.user,
				      call->compat);
	if (!vmctl_desk_close(&desk)) {
		vmctl_vm_revoke(call->vm);
		return -ENODEV;
	}
	return ret;
}

/**
 * vmctl_desk_call - give KVM an argument that has been checked
 * @call: on the VM or vCPU fd, inside its port
 * @size: bytes of the argument, not 0
 * @check: gets the desk, laid out, and may edit the copy; its errno is the answer,
 *         and KVM is not called
 *
 * A vCPU is kept out of KVM_RUN until it is known that the copy stood.
 *
 * Return: what KVM says; what @check says; -EIO: not the VM's address space;
 * -EFAULT; -ENOMEM; -EINTR: killed while another thread ran or made the vCPU;
 * -ENODEV: the caller meddled with the copy, and the VM is revoked.
 */
long vmctl_desk_call(struct vmctl_call *call, size_t size,
		     vmctl_desk_check check)
{
	long ret;

	if (!is_creator(call))
		return -EIO;
	if (!call->vcpu) {
		/* Not while a vCPU is being made: see there. */
		if (down_read_killable(&call->vm->making))
			return -EINTR;
		ret = on_desk(call, size, check);
		up_read(&call->vm->making);
		return ret;
	}
	ret = vmctl_vcpu_hold(call->vcpu);
	if (ret)
		return ret;
	ret = on_desk(call, size, check);
	vmctl_vcpu_release(call->vcpu);
	return ret;
}
