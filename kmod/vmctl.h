/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The objects of the module and who owns what.
 *
 *   client   one open file of /dev/vmctl
 *   vm       one KVM VM; held by its VM file and by each of its vCPUs
 *   vcpu     one KVM vCPU; held by its file, which in turn is held by the fd
 *            and by each mapping of the run page
 *   port     inside vm and vcpu: owns KVM's file and counts who is using it
 *   user     one kuid that has VMs or open clients
 *
 * Locks, outer first: vm->making, vmctl_lock, vm->lock.
 */
#ifndef VMCTL_H
#define VMCTL_H

#include <linux/cleanup.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcupdate_wait.h>
#include <linux/refcount.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/types.h>
#include <linux/uidgid.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/vmctl.h>

#define VMCTL_VERSION	"0.1.0"

struct pid;
struct vm_area_struct;

/* Every byte of a name can become an octal escape of four. */
#define VMCTL_SHOWN_SIZE	(4 * (VMCTL_NAME_SIZE - 1) + 1)

/**
 * struct vmctl_port - KVM's file, and whether it may still be used
 * @users: 1 while open, plus 1 for each command inside
 * @closed: nobody may enter any more, though some may still be inside
 * @kvm: KVM's file; released when the last one has left
 * @creator: the process in which KVM is best released
 * @parting: what it takes to release it elsewhere
 */
struct vmctl_port {
	refcount_t users;
	bool closed;
	struct file *kvm;
	struct pid *creator;
	struct vmctl_parting *parting;
};

/* port.c */
int vmctl_port_prepare(struct vmctl_port *port, struct pid *creator);
void vmctl_port_open(struct vmctl_port *port, struct file *kvm, int users);
void vmctl_port_release(struct vmctl_port *port);
void vmctl_port_free(struct vmctl_port *port);

static inline void vmctl_port_leave(struct vmctl_port *port)
{
	if (refcount_dec_and_test(&port->users))
		vmctl_port_release(port);
}

static inline bool vmctl_port_enter(struct vmctl_port *port)
{
	if (!refcount_inc_not_zero(&port->users))
		return false;
	if (likely(!READ_ONCE(port->closed)))
		return true;
	vmctl_port_leave(port);
	return false;
}

/* Once, by the owner, who gives back the use for being open. */
static inline void vmctl_port_close(struct vmctl_port *port)
{
	WRITE_ONCE(port->closed, true);
	vmctl_port_leave(port);
}

/**
 * struct vmctl_user - one user, in however many processes and namespaces
 * @node: in vmctl_users, under vmctl_lock
 * @refs: clients and VMs, under vmctl_lock
 * @uid: who
 * @generation: changes of what this user sees in the table
 * @wait: for the next one
 */
struct vmctl_user {
	struct list_head node;
	unsigned int refs;
	kuid_t uid;
	atomic64_t generation;
	wait_queue_head_t wait;
};

/**
 * struct vmctl_client - one open file of /dev/vmctl
 * @lock: protects the first opening of @kvm
 * @kvm: KVM's system file, opened by the first command that needs it
 * @user: who opened
 * @admin: the opener had CAP_SYS_ADMIN in the initial user namespace
 * @seen: generation of the table when it was last taken
 */
struct vmctl_client {
	struct mutex lock; /* opening of kvm */
	struct file *kvm;
	struct vmctl_user *user;
	bool admin;
	u64 seen;
};

/**
 * struct vmctl_counters - what KVM_RUN came back with
 *
 * Written by the one thread that holds the vCPU's runner slot, read by anyone.
 */
struct vmctl_counters {
	u64 errors;
	u64 run_ns;
	u64 exits[VMCTL_EXIT_REASONS];
};

/**
 * struct vmctl_vm - one VM
 * @kref: VM file and vCPUs
 * @port: KVM's VM file; closed when the VM file is released or on revocation
 * @node: in vmctl_vms, under vmctl_lock
 * @id: never 0, never used again
 * @flags: VMCTL_VM_*
 * @user: owner
 * @pid: process that created it
 * @tid: thread that created it, and
 * @number: the fd that KVM gave it: KVM's name for it in debugfs is of these
 * @shown: the name, escaped
 * @revoked: set once, under @lock; read without
 * @making: read for VM commands, written for KVM_CREATE_VCPU; outside KVM's
 *          locks and exec_update_lock
 * @stale: the memory slots have changed since @memory was taken
 * @lock: protects all below
 * @closed: the VM file has been released
 * @memory: bytes in the memory slots
 * @vcpus: open vCPUs
 * @gone: counters of closed vCPUs
 * @measured: @sha256 holds the digest of the last image
 */
struct vmctl_vm {
	struct kref kref;
	struct vmctl_port port;
	struct list_head node;
	u32 id;
	u32 flags;
	struct vmctl_user *user;
	struct pid *pid;
	pid_t tid;
	unsigned int number;
	char shown[VMCTL_SHOWN_SIZE];
	bool revoked;
	struct rw_semaphore making;
	bool stale;
	struct mutex lock; /* all below */
	bool closed;
	u64 memory;
	struct list_head vcpus;
	struct vmctl_counters gone;
	bool measured;
	u8 sha256[VMCTL_SHA256_SIZE];
};

/**
 * struct vmctl_vcpu - one vCPU
 * @port: KVM's vCPU file; one use for being open, one for the runner slot
 * @vm: held
 * @exit_reason: in KVM's run page, for whoever is in the port or the slot
 * @id: KVM's id of the vCPU
 * @runner: the runner slot: the thread in KVM_RUN, NULL, or VMCTL_SEALED
 * @wait: threads that wait for the slot
 * @counters: written in the slot
 * @node: in vm->vcpus, under vm->lock; then perhaps among those that wait for
 *        their knock to end
 * @timed: VMCTL_VM_TIME_RUN
 * @shut: the use for being open has been given back; set under vm->lock, read
 *        without by whoever holds the slot
 * @knocked: @knock is or was on its way, under vm->lock
 * @knock: the task work that makes the runner come out
 */
struct vmctl_vcpu {
	struct vmctl_port port;
	struct vmctl_vm *vm;
	const u32 *exit_reason;
	u32 id;
	struct task_struct *runner;
	wait_queue_head_t wait;
	struct vmctl_counters counters;
	struct list_head node;
	bool timed;
	bool shut;
	bool knocked;
	struct rcu_synchronize knock;
};

/**
 * struct vmctl_call - one command on its way through the table
 * @cmd: as the caller gave it
 * @arg: as the caller gave it
 * @compat: from a 32-bit caller
 * @client: system fd, else NULL
 * @vm: VM and vCPU fd, else NULL
 * @vcpu: vCPU fd, else NULL
 * @port: the VM's or vCPU's port, else NULL
 * @file: set by a handler that made an fd: to be published under the fd that
 *        the handler returns, as the very last step
 */
struct vmctl_call {
	unsigned int cmd;
	unsigned long arg;
	bool compat;
	struct vmctl_client *client;
	struct vmctl_vm *vm;
	struct vmctl_vcpu *vcpu;
	struct vmctl_port *port;
	struct file *file;
};

/* KVM's own answer; its files check the caller's address space themselves. */
static inline long vmctl_kvm_ioctl(struct file *kvm, unsigned int cmd,
				   unsigned long arg, bool compat)
{
	if (compat)
		return kvm->f_op->compat_ioctl(kvm, cmd, arg);
	return kvm->f_op->unlocked_ioctl(kvm, cmd, arg);
}

extern struct mutex vmctl_lock;
extern struct list_head vmctl_vms;
extern struct workqueue_struct *vmctl_wq;

/* main.c */
int vmctl_client_kvm(struct vmctl_client *client, struct file **kvm);

/* ioctl.c */
void vmctl_ioctl_init(void);
long vmctl_dispatch(struct vmctl_call *call);

/* own.c */
long vmctl_own_get_info(struct vmctl_call *call, void *arg);
long vmctl_own_create_vm(struct vmctl_call *call, void *arg);
long vmctl_own_load_image(struct vmctl_call *call, void *arg);
long vmctl_own_get_stats(struct vmctl_call *call, void *arg);
long vmctl_own_revoke_vm(struct vmctl_call *call, void *arg);

/* vm.c */
void vmctl_vm_init(void);
long vmctl_vm_create(struct vmctl_call *call, unsigned long type, u32 flags,
		     const char *name, u32 *id);
void vmctl_vm_put(struct vmctl_vm *vm);
struct vmctl_vm *vmctl_vm_find(struct vmctl_client *client, u32 id);
void vmctl_vm_revoke(struct vmctl_vm *vm);
void vmctl_vm_measure(struct vmctl_vm *vm);
long vmctl_vm_stats(struct vmctl_vm *vm, struct vmctl_stats *stats);
__printf(2, 3) void vmctl_vm_say(struct vmctl_vm *vm, const char *what, ...);

/* vcpu.c */
long vmctl_vcpu_create(struct vmctl_call *call);
void vmctl_vcpu_shut(struct vmctl_vcpu *vcpu);
void vmctl_vcpu_knock(struct vmctl_vcpu *vcpu);
u64 vmctl_counters_add(struct vmctl_counters *sum,
		       const struct vmctl_counters *one);

/* image.c */
long vmctl_image_load(struct vmctl_vm *vm, struct vmctl_load_image *load);

/* status.c */
int vmctl_status_show(struct seq_file *m, void *unused);
ssize_t vmctl_status_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos);
__poll_t vmctl_status_poll(struct file *file, struct poll_table_struct *wait);
void vmctl_status_changed(struct vmctl_user *user);

/* user.c */
struct vmctl_user *vmctl_user_get(kuid_t uid);
void vmctl_user_put(struct vmctl_user *user);

/* kvm.c: the only file that knows KVM */
int vmctl_kvm_open(struct file **kvm);
const u32 *vmctl_kvm_exit_reason(struct file *vcpu);
struct page *vmctl_kvm_page(struct file *vcpu, pgoff_t pgoff);
bool vmctl_kvm_is_creator(struct file *vm);
bool vmctl_kvm_vcpu_is_creator(struct file *vcpu);
u64 vmctl_kvm_memory(struct file *vm);
int vmctl_kvm_range(struct file *vm, u64 gpa, u64 length, unsigned long *hva,
		    u64 *found);

/* airlock.c */
/* Numbers that KVM may be told to give an fd; bounds the size of a table. */
#define VMCTL_NUMBERS		4096

int vmctl_airlock_init(void);
void vmctl_airlock_exit(void);
int vmctl_airlock_ioctl(struct file *kvm, unsigned int cmd, unsigned long arg,
			unsigned int number, struct file **made);

#endif /* VMCTL_H */
