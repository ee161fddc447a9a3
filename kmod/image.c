// SPDX-License-Identifier: GPL-2.0
/*
 * Images: a file read straight into guest memory, and measured on the way.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>

#include "compat.h"
#include "trace.h"
#include "vmctl.h"

/* Pages that are held at a time. */
#define BATCH	32

/**
 * struct cursor - how far a load has come
 * @file: the image
 * @pos: where in the file
 * @hash: of what was loaded; NULL to look whether the memory is there
 */
struct cursor {
	struct file *file;
	loff_t pos;
	struct vmctl_sha256 *hash;
};

/* Fill part of a page from the file, and measure what then stands there. */
static int load_page(struct cursor *cursor, struct page *page,
		     unsigned int offset, unsigned int length)
{
	char *at = kmap_local_page(page) + offset;
	unsigned int done = 0;
	ssize_t got = 0;

	while (done < length) {
		got = kernel_read(cursor->file, at + done, length - done,
				  &cursor->pos);
		if (got <= 0)
			break;
		done += got;
	}
	sha256_update(cursor->hash, at, done);
	kunmap_local(at);

	if (done == length)
		return 0;
	if (!got)
		return -ENODATA;
	return got == -EINTR ? -EINTR : -EIO;
}

static int must_stop(struct vmctl_vm *vm)
{
	if (READ_ONCE(vm->revoked))
		return -ENODEV;
	return signal_pending(current) ? -EINTR : 0;
}

/* A stretch of the creator's memory, page by page. */
static int load_stretch(struct vmctl_vm *vm, struct cursor *cursor,
			unsigned long hva, u64 length)
{
	struct page *pages[BATCH];
	unsigned int offset, part;
	int held, ret = 0;

	while (length && !ret) {
		offset = offset_in_page(hva);
		held = min_t(u64, BATCH, DIV_ROUND_UP(offset + length,
						      PAGE_SIZE));
		held = pin_user_pages_fast(hva - offset, held, FOLL_WRITE,
					   pages);
		if (held <= 0)
			return held == -EINTR ? -EINTR :
			       held == -ENOMEM ? -ENOMEM : -EFAULT;

		for (int i = 0; i < held && !ret; i++) {
			part = min_t(u64, length, PAGE_SIZE - offset);
			if (cursor->hash)
				ret = load_page(cursor, pages[i], offset, part);
			if (!ret)
				ret = must_stop(vm);
			hva += part;
			length -= part;
			offset = 0;
		}
		unpin_user_pages_dirty_lock(pages, held, cursor->hash);
		cond_resched();
	}
	return ret;
}

static int load_range(struct vmctl_vm *vm, struct cursor *cursor, u64 gpa,
		      u64 length)
{
	unsigned long hva;
	u64 found;
	int ret;

	for (; length; gpa += found, length -= found) {
		ret = vmctl_kvm_range(vm->port.kvm, gpa, length, &hva, &found);
		if (ret)
			return ret;
		ret = load_stretch(vm, cursor, hva, found);
		if (ret)
			return ret;
	}
	return 0;
}

static int check_image(struct file *file, u64 offset, u64 length)
{
	loff_t end;

	if (!(file->f_mode & FMODE_READ))
		return -EBADF;
	if (!S_ISREG(file_inode(file)->i_mode))
		return -EINVAL;
	if (check_add_overflow(offset, length, &end))
		return -EINVAL;
	return end > i_size_read(file_inode(file)) ? -ENODATA : 0;
}

static int keep_digest(struct vmctl_vm *vm, const u8 *sha256)
{
	guard(mutex)(&vm->lock);
	if (vm->revoked)
		return -ENODEV;
	memcpy(vm->sha256, sha256, sizeof(vm->sha256));
	vm->measured = true;
	return 0;
}

static long load_file(struct vmctl_vm *vm, struct file *file,
		      struct vmctl_load_image *load)
{
	struct vmctl_sha256 hash;
	struct cursor cursor = { .file = file, .pos = load->offset };
	int ret;

	ret = check_image(file, load->offset, load->length);
	if (ret)
		return ret;
	ret = load_range(vm, &cursor, load->gpa, load->length);
	if (ret)
		return ret;

	sha256_init(&hash);
	cursor.hash = &hash;
	ret = load_range(vm, &cursor, load->gpa, load->length);
	if (ret)
		return ret;

	sha256_final(&hash, load->sha256);
	return keep_digest(vm, load->sha256);
}

/**
 * vmctl_image_load - VMCTL_LOAD_IMAGE
 * @vm: inside its port
 * @load: sha256 is filled in
 *
 * Return: 0 or an errno of the interface.
 */
long vmctl_image_load(struct vmctl_vm *vm, struct vmctl_load_image *load)
{
	struct file *file;
	long ret;
	u64 end;

	if (load->flags || !load->length ||
	    check_add_overflow(load->gpa, load->length, &end))
		return -EINVAL;
	if (!vmctl_kvm_is_creator(vm->port.kvm))
		return -EIO;

	file = fget(load->fd);
	if (!file)
		return -EBADF;
	ret = load_file(vm, file, load);
	fput(file);

	trace_load(vm, load, ret);
	if (ret)
		return ret;
	vmctl_vm_say(vm, "loaded %llu bytes at %#llx, sha256 %*phN",
		     load->length, load->gpa, VMCTL_SHA256_SIZE, load->sha256);
	vmctl_status_changed(vm->user);
	return 0;
}
