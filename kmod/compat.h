/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All differences between the kernels that the module builds on (6.1 to 7.2).
 */
#ifndef VMCTL_COMPAT_H
#define VMCTL_COMPAT_H

#include <crypto/sha2.h>
#include <linux/device/class.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define vmctl_class_create(name)	class_create(THIS_MODULE, name)
#else
#define vmctl_class_create(name)	class_create(name)
#endif

/* The device argument of class.devnode became const. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0)
#define VMCTL_DEVNODE_CONST
#else
#define VMCTL_DEVNODE_CONST		const
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 18, 0)
#define vmctl_sha256			sha256_state
#else
#define vmctl_sha256			sha256_ctx
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define vmctl_vm_flags_set(vma, flags)	((vma)->vm_flags |= (flags))
#else
#define vmctl_vm_flags_set(vma, flags)	vm_flags_set(vma, flags)
#endif

/* Since SMM can be left out, that may be one. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define VMCTL_ADDRESS_SPACES(kvm)	KVM_ADDRESS_SPACE_NUM
#else
#define VMCTL_ADDRESS_SPACES(kvm)	kvm_arch_nr_memslot_as_ids(kvm)
#endif

/* Tracepoints find the source of a string by themselves. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 10, 0)
#define vmctl_assign_str(dst, src)	__assign_str(dst, src)
#else
#define vmctl_assign_str(dst, src)	__assign_str(dst)
#endif

/*
 * The MSR filter of a 32-bit caller has 32-bit pointers, so its command has a
 * size of its own; KVM knows it in its compat_ioctl, but has no public name.
 */
#define VMCTL_KVM_X86_SET_MSR_FILTER_COMPAT	_IOC(_IOC_WRITE, KVMIO, 0xc6, 260)

#endif /* VMCTL_COMPAT_H */
