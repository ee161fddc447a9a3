/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * vmctl: KVM behind a policed door.
 *
 * Three kinds of file descriptor, as in KVM's own interface
 * (Documentation/virt/kvm/api.rst, section 2):
 *
 *   system fd   open("/dev/vmctl", O_RDWR)
 *   VM fd       KVM_CREATE_VM or VMCTL_CREATE_VM on the system fd
 *   vCPU fd     KVM_CREATE_VCPU on the VM fd; mmap() gives struct kvm_run
 *
 * KVM's ioctls work on them with KVM's own numbers, arguments, results and
 * errnos. On top of those, any KVM ioctl can answer:
 *
 *   ENOTTY   no such command on this kind of fd
 *   EPERM    KVM has this command, vmctl does not let it through; where a
 *            capability stands for it, KVM_CHECK_EXTENSION answers 0
 *   ENODEV   the VM was revoked, or KVM itself cannot be reached
 *   EIO      the caller's address space is not the one that created the VM
 *   EDQUOT   more than the limits allow (VMCTL_GET_LIMITS)
 *   EAGAIN, ENFILE, ENOMEM   where vmctl checks the argument: the process can
 *            map no page more (mlockall(), RLIMIT_AS, vm.max_map_count,
 *            fs.file-max)
 *
 * The VM and vCPU fds are close-on-exec. A VM lives until its last VM fd,
 * vCPU fd and mapping of a run page is gone.
 *
 * The commands below are vmctl's own. Their rules:
 *
 *  - The size in the command number (_IOC_SIZE) is the size of the caller's
 *    structure. A later header may append members: an older kernel accepts
 *    the longer structure when all that it does not know is zero, and zeroes
 *    it on return. A newer kernel accepts the shorter structure of an older
 *    header and takes what is missing as zero.
 *  - Padding and unused members must be zero; unknown flags are refused. What
 *    a structure marks as out, without in, may hold anything on entry; so may
 *    all of a structure that is only written.
 *  - When a command fails, nothing has changed and no fd has been made, except
 *    where it says otherwise.
 *
 * Errnos that every own command can answer:
 *
 *   EFAULT   the structure is not readable or not writable
 *   EINVAL   unknown flag, padding not zero, structure shorter than in the
 *            first version of this interface
 *   E2BIG    structure longer than this kernel knows, and its tail not zero
 *   ENOTTY   no such command on this kind of fd
 *   ENOMEM   out of memory
 *   EINTR    a signal came before the work was done
 */
#ifndef _UAPI_LINUX_VMCTL_H
#define _UAPI_LINUX_VMCTL_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Rises with incompatible changes only: not when structures or tables grow. */
#define VMCTL_ABI_VERSION	1

#define VMCTL_IOC_MAGIC		0xD7

/* Bytes, with the closing NUL. */
#define VMCTL_NAME_SIZE		64
#define VMCTL_VERSION_SIZE	32

/* Bytes of a SHA-256 digest (FIPS 180-4). */
#define VMCTL_SHA256_SIZE	32

/*
 * VMCTL_GET_INFO - what this module is and whether it reaches KVM
 *
 * On: system fd. Argument: struct vmctl_info, written.
 */
struct vmctl_info {
	/* VMCTL_ABI_VERSION of the module. */
	__u32 abi_version;
	/* What KVM_GET_API_VERSION answers (12); 0 if KVM is out of reach. */
	__u32 kvm_api_version;
	/* Why KVM is out of reach, as a positive errno; 0 if it is not. */
	__u32 kvm_errno;
	/* VMs and vCPUs that now exist and that the caller may see. */
	__u32 vms;
	__u32 vcpus;
	__u32 reserved;
	/* Version of the module, NUL-terminated. */
	char version[VMCTL_VERSION_SIZE];
};

#define VMCTL_GET_INFO		_IOR(VMCTL_IOC_MAGIC, 0x00, struct vmctl_info)

/*
 * VMCTL_CREATE_VM - KVM_CREATE_VM with a name and options
 *
 * On: system fd. Argument: struct vmctl_create_vm, read and written.
 * Returns: the VM fd.
 *
 * The name is for people (the table, the kernel log, tracepoints); it need
 * not be unique and may hold any bytes. Where it is shown, all but printable
 * ASCII, and backslash, space and double quote, stand as octal escapes.
 *
 * Errnos, besides the common ones and KVM_CREATE_VM's (api.rst 4.2):
 *   EINVAL   the name has no NUL within VMCTL_NAME_SIZE bytes; id not zero
 *   EMFILE   no fd left for the caller
 *   ENODEV   KVM cannot be reached (not loaded, or not where kvm_path says)
 */
struct vmctl_create_vm {
	/* in: KVM's machine type, as for KVM_CREATE_VM; 0 on x86. */
	__aligned_u64 machine_type;
	/* in: VMCTL_VM_* */
	__u32 flags;
	/* in: 0. out: the id of the VM, never 0; used again after 2^32 others. */
	__u32 id;
	/* in: NUL-terminated; may be empty. */
	char name[VMCTL_NAME_SIZE];
};

/* Measure the time spent in KVM_RUN (vmctl_stats.run_ns): two clock reads an exit. */
#define VMCTL_VM_TIME_RUN	0x1

#define VMCTL_CREATE_VM		_IOWR(VMCTL_IOC_MAGIC, 0x01, struct vmctl_create_vm)

/*
 * VMCTL_LOAD_IMAGE - read a file into guest memory and measure it
 *
 * On: VM fd, in any state. Argument: struct vmctl_load_image, read and written.
 *
 * The kernel reads length bytes at offset of the file into the memory slots
 * of the VM (KVM_SET_USER_MEMORY_REGION, address space 0) at gpa; the range
 * may go over several slots that lie side by side. It does not look into the
 * image. The digest of the last successful load is kept with the VM and
 * stands in the table that read() gives.
 *
 * Memory, file and the room for the answer are checked before the first byte
 * is written. Only when the file gets shorter, one of those goes away, a signal
 * comes or the VM is revoked while the load runs, part of the range has been
 * overwritten; the digest that was kept before then stays, unless all but the
 * answer was done (EFAULT).
 *
 * Errnos, besides the common ones:
 *   EBADF    fd is not an open file, or not open for reading
 *   EINVAL   length is 0; offset or gpa plus length wraps or is out of range;
 *            not a regular file
 *   EFAULT   part of the range has no memory slot, or that slot's memory
 *            cannot be written (nothing mapped there, mapped read-only,
 *            device memory)
 *   ENODATA  the file ends before offset + length
 *   EIO      the caller's address space is not the one that created the VM;
 *            or reading the file failed
 *   ENODEV   the VM was revoked
 */
struct vmctl_load_image {
	/* in: the image, open for reading; its file position is not used. */
	__s32 fd;
	/* in: 0 */
	__u32 flags;
	/* in: where in the file, bytes */
	__aligned_u64 offset;
	/* in: how much, bytes */
	__aligned_u64 length;
	/* in: guest physical address of the first byte; any alignment */
	__aligned_u64 gpa;
	/* out: SHA-256 of the bytes loaded */
	__u8 sha256[VMCTL_SHA256_SIZE];
};

#define VMCTL_LOAD_IMAGE	_IOWR(VMCTL_IOC_MAGIC, 0x02, struct vmctl_load_image)

/*
 * VMCTL_GET_STATS - what the vCPUs of a VM did
 *
 * On: system fd (names the VM by id), VM fd, vCPU fd.
 * Argument: struct vmctl_stats, read and written.
 *
 * exits[R] counts the returns of KVM_RUN to user space with
 * kvm_run.exit_reason R (KVM_EXIT_*, linux/kvm.h); reasons from
 * VMCTL_EXIT_REASONS - 1 on are counted together in the last one. A return
 * with EINTR counts as KVM_EXIT_INTR. All other failures of KVM_RUN count in
 * errors alone. runs is the sum of exits and errors. Counters never go back;
 * those of closed vCPUs stay in the sum of their VM. They can be read after
 * the VM was revoked.
 *
 * Errnos, besides the common ones:
 *   ENOENT   system fd: no VM with this id that the opener may see;
 *            VM and system fd: no open vCPU with this id
 *   EINVAL   VM and vCPU fd: id not 0; vCPU fd: vcpu not VMCTL_ALL_VCPUS
 */
#define VMCTL_EXIT_REASONS	64
#define VMCTL_ALL_VCPUS		0xffffffffU

struct vmctl_stats {
	/* in: system fd: id of the VM; VM and vCPU fd: 0 */
	__u32 id;
	/* in: a vCPU by its KVM_CREATE_VCPU id, or VMCTL_ALL_VCPUS for the sum;
	 * vCPU fd: VMCTL_ALL_VCPUS, which there means itself
	 */
	__u32 vcpu;
	/* in: 0. out: VMCTL_VM_* of the VM: run_ns holds only with TIME_RUN. */
	__u32 flags;
	/* out: open vCPUs that were counted; in: 0 */
	__u32 vcpus;
	/* out */
	__aligned_u64 runs;
	__aligned_u64 errors;
	/* out: nanoseconds within KVM_RUN, CLOCK_MONOTONIC; calls that have not
	 * come back do not count yet
	 */
	__aligned_u64 run_ns;
	/* out */
	__aligned_u64 exits[VMCTL_EXIT_REASONS];
};

#define VMCTL_GET_STATS		_IOWR(VMCTL_IOC_MAGIC, 0x03, struct vmctl_stats)

/*
 * VMCTL_REVOKE_VM - take a VM away from whoever holds it
 *
 * On: system fd. Argument: struct vmctl_revoke_vm, read.
 *
 * For the owner of the VM and for openers of /dev/vmctl with CAP_SYS_ADMIN in
 * the initial user namespace. Once the command has returned, every use of the
 * VM's fds answers ENODEV (VMCTL_GET_STATS and close() still work). A vCPU
 * thread inside KVM_RUN comes out with ENODEV; no signal is sent. Other commands
 * that are inside finish. KVM's files are released as soon as the last one has
 * left; a mapped run page stays readable and writable, and means nothing any
 * more. Revoking a revoked VM does nothing and succeeds.
 *
 * Errnos, besides the common ones:
 *   ENOENT   no VM with this id that the opener may see
 */
struct vmctl_revoke_vm {
	/* in */
	__u32 id;
	/* in: 0 */
	__u32 flags;
};

#define VMCTL_REVOKE_VM		_IOW(VMCTL_IOC_MAGIC, 0x04, struct vmctl_revoke_vm)

/* What is limited: indexes of the arrays in struct vmctl_limits. */
#define VMCTL_VMS		0
#define VMCTL_VCPUS		1
/* Bytes in memory slots; where a VM has several address spaces, in the fullest. */
#define VMCTL_MEMORY		2
/* vCPUs of one VM; not used for anybody, and without a limit of all users. */
#define VMCTL_VM_VCPUS		3
/*
 * VMs that may run VMs themselves: whose CPUID has VMX or SVM, or that were
 * given EFER.SVME. KVM_GET_SUPPORTED_CPUID has neither for whom the limit is
 * reached. EFER is looked at, and counts, only in vCPUs that were made while
 * there was a limit. A VM counts from when it asks, also where KVM refuses it
 * then.
 */
#define VMCTL_NESTED		4
#define VMCTL_RESOURCES		5
#define VMCTL_RESOURCES_ALL	((1U << VMCTL_RESOURCES) - 1)

/* Whose limits: all users together, each user, or one. */
#define VMCTL_SCOPE_TOTAL	0
#define VMCTL_SCOPE_DEFAULT	1
#define VMCTL_SCOPE_USER	2
/* GET alone: the user with limits of his own whose number comes next. */
#define VMCTL_SCOPE_NEXT	3

/* Flag of SET: what is not set is as it was when the module was loaded. */
#define VMCTL_LIMITS_REPLACE	0x1

/* No limit. */
#define VMCTL_UNLIMITED		(~0ULL)
/* Not for this reader. */
#define VMCTL_UNKNOWN		(~0ULL)

/*
 * VMCTL_GET_LIMITS - how much may be held, and how much is
 * VMCTL_SET_LIMITS - change that
 *
 * On: system fd. Argument: struct vmctl_limits, read, and written by GET.
 *
 * A command that would go over a limit answers EDQUOT and changes nothing. What
 * a VM holds is charged to the user who created it; if he did so in a user
 * namespace that root did not make, to him who made that, or the outermost of
 * several such. It is charged until KVM has let go of it: until the last of its VM fd and
 * vCPU fds is closed, or it was revoked and the last thread has left it. A limit
 * may be set below what is in use: nobody loses anything, but nothing more is
 * given. A memory slot that is taken away is given back at once, and setting it
 * again is asking anew, as QEMU does when a guest is reset.
 *
 * Anyone may ask for the limits of all and of each, and for those and the use
 * of the user who opened the device. Openers with CAP_SYS_ADMIN in the initial
 * user namespace may ask for any user and change limits; for others, used and
 * refused of VMCTL_SCOPE_TOTAL are 0.
 *
 * Errnos, besides the common ones:
 *   EINVAL   no such scope; a user that cannot be; uid not 0 with another scope
 *   EPERM    not for this opener; VMCTL_SCOPE_NEXT in another user namespace
 *            than the initial one
 *   ENOENT   VMCTL_SCOPE_NEXT: nobody from there on has limits of his own
 *   ENOSPC   SET: more than 1024 users with limits of their own
 */
struct vmctl_limits {
	/* in: VMCTL_SCOPE_*; out: VMCTL_SCOPE_USER for _NEXT */
	__u32 scope;
	/* in: VMCTL_SCOPE_USER: who, as in the caller's user namespace;
	 * VMCTL_SCOPE_NEXT: the least number that is wanted; out: whose they are
	 */
	__u32 uid;
	/* SET, in: which of limit[] to set, by bit; VMCTL_SCOPE_USER: the others
	 * are those of VMCTL_SCOPE_DEFAULT again. GET, out: of a user: which
	 * are his own.
	 */
	__u32 set;
	/* GET, in: 0; SET, in: VMCTL_LIMITS_* */
	__u32 flags;
	/* SET: in, GET: out. VMCTL_UNLIMITED for none. */
	__aligned_u64 limit[VMCTL_RESOURCES];
	/* GET, out: now in use; SET, in: 0 */
	__aligned_u64 used[VMCTL_RESOURCES];
	/* GET, out: how often a command met the limit; SET, in: 0 */
	__aligned_u64 refused[VMCTL_RESOURCES];
};

#define VMCTL_GET_LIMITS	_IOWR(VMCTL_IOC_MAGIC, 0x05, struct vmctl_limits)
#define VMCTL_SET_LIMITS	_IOW(VMCTL_IOC_MAGIC, 0x06, struct vmctl_limits)

/* What becomes of a command. */
#define VMCTL_ALLOWED		0	/* KVM gets it as it is */
#define VMCTL_CHECKED		1	/* KVM gets a copy that was checked */
#define VMCTL_EMULATED		2	/* done here, with KVM's help */
#define VMCTL_REFUSED		3	/* EPERM */
#define VMCTL_OWN		4	/* a command of this header */

/* Kinds of fd, by bit. */
#define VMCTL_ON_SYSTEM		0x1
#define VMCTL_ON_VM		0x2
#define VMCTL_ON_VCPU		0x4

/*
 * VMCTL_GET_COMMAND - what becomes of a command, and why
 *
 * On: system fd. Argument: struct vmctl_command, read and written.
 *
 * Index goes from 0 without gaps. The order may change with the module.
 *
 * Errnos, besides the common ones:
 *   ENOENT   no more commands
 */
struct vmctl_command {
	/* in */
	__u32 index;
	/* in: 0 */
	__u32 flags;
	/* out: the number that it is called by */
	__u32 cmd;
	/* out: VMCTL_ON_* */
	__u32 on;
	/* out: VMCTL_ALLOWED and so on */
	__u32 verdict;
	__u32 reserved;
	/* out: how often it was refused since the module was loaded; 0 for
	 * openers without CAP_SYS_ADMIN in the initial user namespace
	 */
	__aligned_u64 refusals;
	/* out: NUL-terminated, as in linux/kvm.h */
	char name[VMCTL_NAME_SIZE];
	/* out: why, NUL-terminated, in English */
	char why[VMCTL_NAME_SIZE];
};

#define VMCTL_GET_COMMAND	_IOWR(VMCTL_IOC_MAGIC, 0x07, struct vmctl_command)

/* What happened. */
#define VMCTL_EVENT_CREATED	1	/* a VM */
#define VMCTL_EVENT_ENDED	2	/* the last of a VM's fds was closed */
#define VMCTL_EVENT_REVOKED	3	/* a VM was taken away */
#define VMCTL_EVENT_REFUSED	4	/* a command that is not let through */
#define VMCTL_EVENT_LIMIT	5	/* a command that met a limit */

/*
 * VMCTL_GET_EVENT - the next thing that happened
 *
 * On: system fd. Argument: struct vmctl_event, written.
 *
 * An open file gets in their order all events that its opener may see: those of
 * his own VMs and commands; with CAP_SYS_ADMIN in the initial user namespace,
 * all. It begins with the oldest that is kept: of all users together 2048; of
 * one user, in five seconds, at most 400 of his VMs' lives and 100 refusals.
 * poll() has POLLPRI when there is one, or none was asked for yet.
 *
 * Errnos, besides the common ones:
 *   EAGAIN   nothing has happened since
 *   EFAULT   as ever; if the room went away only meanwhile, the event is lost
 */
struct vmctl_event {
	/* From 1, without gaps but for those that were no longer kept; 0 for
	 * openers without CAP_SYS_ADMIN in the initial user namespace.
	 */
	__aligned_u64 seq;
	/* CLOCK_REALTIME, nanoseconds */
	__aligned_u64 time_ns;
	/* VMCTL_EVENT_* */
	__u32 kind;
	/* So many of this user before this one came too fast to be kept; where he
	 * shares his allowance with another, of both.
	 */
	__u32 missed;
	/* Whose VM or command; as in the reader's namespace, as the next two. */
	__u32 uid;
	/* Who did it. */
	__u32 by_uid;
	/* In which process; 0: none that the reader's namespace knows. */
	__s32 pid;
	/* The id of the VM; 0: none, or none yet. */
	__u32 vm;
	/* REFUSED: the command. */
	__u32 cmd;
	/* LIMIT: VMCTL_VMS and so on, and VMCTL_SCOPE_TOTAL or _USER. */
	__u32 resource;
	__u32 scope;
	/* LIMIT: who is charged: as uid, but for VMs made in user namespaces; -1:
	 * nobody whom the reader's namespace knows.
	 */
	__u32 payer;
	/* LIMIT: as it was then, what was in use, and what was wanted on top. Used of
	 * all users is VMCTL_UNKNOWN for openers without CAP_SYS_ADMIN, as above.
	 */
	__aligned_u64 limit;
	__aligned_u64 used;
	__aligned_u64 wanted;
	/* The VM's name; REFUSED: the command's. NUL-terminated, any bytes. */
	char name[VMCTL_NAME_SIZE];
};

#define VMCTL_GET_EVENT		_IOR(VMCTL_IOC_MAGIC, 0x08, struct vmctl_event)

/*
 * read(): a table, one line per VM that the opener may see (his own; with
 * CAP_SYS_ADMIN in the initial user namespace all), then end of file. Nothing
 * is printed for no VM. Fields are separated by one space, and none of them
 * holds a space; later versions may append fields:
 *
 *   id pid uid name state vcpus memory exits image
 *
 * pid   of the process that created the VM, in the reader's namespace
 * uid   of its owner, in the reader's namespace: the real user id of the thread
 *       that created it
 * name  escaped as said at VMCTL_CREATE_VM; "-" for none
 * state "active" or "revoked"
 * vcpus open vCPUs
 * memory bytes in the memory slots, as they are charged: see VMCTL_MEMORY
 * exits of all its vCPUs, as VMCTL_GET_STATS counts them; errors are not among them
 * image "sha256:" and 64 hexadecimal digits of the last load; "-" for none
 *
 * The table is taken when a read starts at offset 0 and then served from that
 * copy; lseek() to 0 takes a new one.
 *
 * poll(): POLLIN when the table has changed since this open file last took it
 * (VM created, ended or revoked, vCPU created or closed, memory slot set,
 * image loaded; exits do not count), or never took it. POLLPRI when there is an
 * event for VMCTL_GET_EVENT. POLLOUT always.
 *
 * write(): commands as text, one per line, each line whole within one write of
 * at most 4096 bytes:
 *
 *   revoke ID
 *
 * All lines are parsed before the first one is carried out.
 *   EINVAL   a line that is no command; nothing was done
 *   ENOENT   as for VMCTL_REVOKE_VM; the lines before it were carried out
 *   E2BIG    more than 4096 bytes
 */

#endif /* _UAPI_LINUX_VMCTL_H */
