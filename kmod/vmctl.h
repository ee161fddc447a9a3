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
 * Locks, outer first: vm->making, vm->slots, vmctl_lock, vm->lock, and that of
 * the users.
 */
#ifndef VMCTL_H
#define VMCTL_H

#include <linux/cleanup.h>
#include <linux/compat.h>
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

struct dentry;
struct kvm_run;
struct kvm_userspace_memory_region;
struct pid;
struct vm_area_struct;
struct vmctl_bill;
struct vmctl_row;

/* Every byte of a name can become an octal escape of four. */
#define VMCTL_SHOWN_SIZE	(4 * (VMCTL_NAME_SIZE - 1) + 1)

/**
 * struct vmctl_port - KVM's file, and whether it may still be used
 * @users: 1 while open, plus 1 for each command inside
 * @closed: nobody may enter any more, though some may still be inside
 * @kvm: KVM's file; released when the last one has left
 * @creator: the process in which KVM is best released
 * @parting: what it takes to release it elsewhere
 * @bill: what the VM is charged for, for whoever is inside
 * @receipt: holds @bill, and is released behind @kvm
 */
struct vmctl_port {
	refcount_t users;
	bool closed;
	struct file *kvm;
	struct pid *creator;
	struct vmctl_parting *parting;
	struct vmctl_bill *bill;
	struct file *receipt;
};

/* port.c */
int vmctl_port_prepare(struct vmctl_port *port, struct pid *creator,
		       struct vmctl_bill *bill);
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
 * @node: among all users, under their lock
 * @refs: clients, VMs and bills; the last is given back under that lock
 * @uid: who
 * @account: who is charged for what this user holds: see vmctl_account()
 * @used: sum of the bills, under vmctl_limit_lock
 * @refused: how often a limit was met, under vmctl_limit_lock
 * @generation: changes of what this user sees in the table
 * @last_event: the newest of this user's events, under the lock of event.c
 * @wait: for the next one of either
 */
struct vmctl_user {
	struct hlist_node node;
	struct kref refs;
	kuid_t uid;
	kuid_t account;
	u64 used[VMCTL_RESOURCES];
	u64 refused[VMCTL_RESOURCES];
	atomic64_t generation;
	u64 last_event;
	wait_queue_head_t wait;
};

/**
 * struct vmctl_client - one open file of /dev/vmctl
 * @lock: protects the first opening of @kvm
 * @kvm: KVM's system file, opened by the first command that needs it
 * @user: who opened
 * @admin: the opener had CAP_SYS_ADMIN in the initial user namespace
 * @seen: generation of the table when it was last taken
 * @next_event: the first that it has not got, under the lock of event.c
 */
struct vmctl_client {
	struct mutex lock; /* opening of kvm */
	struct file *kvm;
	struct vmctl_user *user;
	bool admin;
	u64 seen;
	u64 next_event;
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
 * @debug: its folder in debugfs
 * @id: never 0; used again only after all others
 * @flags: VMCTL_VM_*
 * @user: owner
 * @pid: process that created it
 * @tid: thread that created it, and
 * @number: the fd that KVM gave it: KVM's name for it in debugfs is of these
 * @name: for people, any bytes
 * @shown: the same, escaped
 * @revoked: set once, under @lock; read without
 * @making: read for VM commands, written for KVM_CREATE_VCPU; outside KVM's
 *          locks and exec_update_lock
 * @slots: held while a memory slot is set
 * @lock: protects all below
 * @closed: the VM file has been released
 * @memory: bytes in the memory slots, as charged; 0 once revoked
 * @vcpus: open vCPUs
 * @gone: counters of closed vCPUs
 * @measured: @sha256 holds the digest of the last image
 */
struct vmctl_vm {
	struct kref kref;
	struct vmctl_port port;
	struct list_head node;
	struct dentry *debug;
	u32 id;
	u32 flags;
	struct vmctl_user *user;
	struct pid *pid;
	pid_t tid;
	unsigned int number;
	char name[VMCTL_NAME_SIZE];
	char shown[VMCTL_SHOWN_SIZE];
	bool revoked;
	struct rw_semaphore making;
	struct mutex slots; /* setting of one */
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
 * @special: @timed, or with a @shadow
 * @timed: VMCTL_VM_TIME_RUN
 * @shadow: what user space maps instead of KVM's run page, or NULL
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
	bool special;
	bool timed;
	struct kvm_run *shadow;
	bool shut;
	bool knocked;
	struct rcu_synchronize knock;
};

/**
 * struct vmctl_call - one command on its way through the table
 * @cmd: as the caller gave it
 * @arg: as the caller gave it
 * @compat: from a 32-bit caller
 * @row: what the table says of it
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
	const struct vmctl_row *row;
	struct vmctl_client *client;
	struct vmctl_vm *vm;
	struct vmctl_vcpu *vcpu;
	struct vmctl_port *port;
	struct file *file;
};

/* An argument that is an address. */
static inline void __user *vmctl_call_pointer(const struct vmctl_call *call)
{
	return call->compat ? compat_ptr(call->arg) :
			      (void __user *)call->arg;
}

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
long vmctl_dispatch(struct vmctl_call *call);

/* own.c */
long vmctl_own_get_info(struct vmctl_call *call, void *arg);
long vmctl_own_create_vm(struct vmctl_call *call, void *arg);
long vmctl_own_load_image(struct vmctl_call *call, void *arg);
long vmctl_own_get_stats(struct vmctl_call *call, void *arg);
long vmctl_own_revoke_vm(struct vmctl_call *call, void *arg);
long vmctl_own_get_limits(struct vmctl_call *call, void *arg);
long vmctl_own_set_limits(struct vmctl_call *call, void *arg);
long vmctl_own_get_command(struct vmctl_call *call, void *arg);
long vmctl_own_get_event(struct vmctl_call *call, void *arg);

/* vm.c */
void vmctl_vm_init(void);
long vmctl_vm_create(struct vmctl_call *call, unsigned long type, u32 flags,
		     const char *name, u32 *id);
void vmctl_vm_put(struct vmctl_vm *vm);
struct vmctl_vm *vmctl_vm_find(struct vmctl_client *client, u32 id);
void vmctl_vm_revoke(struct vmctl_vm *vm);
long vmctl_vm_stats(struct vmctl_vm *vm, struct vmctl_stats *stats);
__printf(2, 3) void vmctl_vm_say(struct vmctl_vm *vm, const char *what, ...);

/* vcpu.c */
long vmctl_vcpu_create(struct vmctl_call *call);
long vmctl_vcpu_hold(struct vmctl_vcpu *vcpu);
void vmctl_vcpu_release(struct vmctl_vcpu *vcpu);
bool vmctl_vcpu_runs(const struct vmctl_vcpu *vcpu);
void vmctl_vcpu_exit(void);
void vmctl_vcpu_shut(struct vmctl_vcpu *vcpu);
void vmctl_vcpu_knock(struct vmctl_vcpu *vcpu);
u64 vmctl_counters_add(struct vmctl_counters *sum,
		       const struct vmctl_counters *one);

/* image.c */
long vmctl_image_load(struct vmctl_vm *vm, struct vmctl_load_image *load);

/* memory.c */
long vmctl_memory_set(struct vmctl_call *call);

/* status.c */
int vmctl_status_show(struct seq_file *m, void *unused);
ssize_t vmctl_status_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos);
__poll_t vmctl_status_poll(struct file *file, struct poll_table_struct *wait);
void vmctl_status_changed(struct vmctl_user *user);
void vmctl_status_wake(struct vmctl_user *user);

/* user.c */
struct vmctl_user *vmctl_user_get(kuid_t uid);
struct vmctl_user *vmctl_user_find(kuid_t uid);
kuid_t vmctl_account(void);
void vmctl_user_hold(struct vmctl_user *user);
void vmctl_user_put(struct vmctl_user *user);

/* kvm.c: the only file that knows KVM */
int vmctl_kvm_open(struct file **kvm);
const u32 *vmctl_kvm_exit_reason(struct file *vcpu);
struct kvm_run *vmctl_kvm_run_page(struct file *vcpu);
struct page *vmctl_kvm_page(struct file *vcpu, pgoff_t pgoff);
bool vmctl_kvm_is_creator(struct file *vm);
bool vmctl_kvm_vcpu_is_creator(struct file *vcpu);
u64 vmctl_kvm_memory_with(struct file *vm,
			  const struct kvm_userspace_memory_region *region);
bool vmctl_kvm_overlaps(struct file *vm,
			const struct kvm_userspace_memory_region *region);
bool vmctl_kvm_has_slot(struct file *vm,
			const struct kvm_userspace_memory_region *region);
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
