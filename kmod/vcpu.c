// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual CPUs: the vCPU fd, KVM_RUN and the run page.
 */
#include <linux/anon_inodes.h>
#include <linux/gfp.h>
#include <linux/kvm.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>

#include "limit.h"
#include "shadow.h"
#include "trace.h"
#include "vmctl.h"

/* Stands in the runner slot of a vCPU that nobody can run any more. */
#define VMCTL_SEALED	((struct task_struct *)1)

/**
 * vmctl_counters_add - add counters up
 * @sum: added to
 * @one: may be counting at this moment
 *
 * Return: the exits that @one brought.
 */
u64 vmctl_counters_add(struct vmctl_counters *sum,
		       const struct vmctl_counters *one)
{
	u64 exits = 0;
	u64 count;

	sum->errors += READ_ONCE(one->errors);
	sum->run_ns += READ_ONCE(one->run_ns);
	for (int i = 0; i < VMCTL_EXIT_REASONS; i++) {
		count = READ_ONCE(one->exits[i]);
		sum->exits[i] += count;
		exits += count;
	}
	return exits;
}

/* The caller holds the runner slot, so nobody else counts. */
static void count_exit(struct vmctl_vcpu *vcpu, u32 reason, long ret)
{
	u64 *exits;

	trace_exit(vcpu, reason, ret);
	exits = &vcpu->counters.exits[min_t(u32, reason,
					    VMCTL_EXIT_REASONS - 1)];
	WRITE_ONCE(*exits, *exits + 1);
}

static noinline void count_failure(struct vmctl_vcpu *vcpu, long ret)
{
	if (ret == -EINTR) {
		count_exit(vcpu, KVM_EXIT_INTR, ret);
		return;
	}
	trace_exit(vcpu, U32_MAX, ret);
	WRITE_ONCE(vcpu->counters.errors, vcpu->counters.errors + 1);
}

/* Shut the slot for ever, if nobody is in it; whoever leaves it tries again. */
static void seal(struct vmctl_vcpu *vcpu)
{
	if (!cmpxchg(&vcpu->runner, NULL, VMCTL_SEALED))
		vmctl_port_leave(&vcpu->port);
}

static bool slot_take(struct vmctl_vcpu *vcpu)
{
	struct task_struct *nobody = NULL;

	return try_cmpxchg(&vcpu->runner, &nobody, current);
}

/* Somebody else runs this vCPU: KVM makes the caller wait, killably. */
static noinline long slot_wait(struct vmctl_vcpu *vcpu)
{
	bool creator, taken = false;
	long ret;

	if (!vmctl_port_enter(&vcpu->port))
		return -ENODEV;
	creator = vmctl_kvm_vcpu_is_creator(vcpu->port.kvm);
	vmctl_port_leave(&vcpu->port);
	if (!creator)
		return -EIO;

	ret = wait_event_killable(vcpu->wait, READ_ONCE(vcpu->shut) ||
				  (taken = slot_take(vcpu)));
	if (taken)
		return 0;
	return ret ? -EINTR : -ENODEV;
}

/* For VMs that want or need more than the others. */
static noinline long run_specially(struct vmctl_vcpu *vcpu, unsigned long arg)
{
	u64 *run_ns = &vcpu->counters.run_ns;
	u64 start = vcpu->timed ? ktime_get_ns() : 0;
	long ret;

	if (vcpu->shadow)
		ret = vmctl_shadow_run(vcpu, arg);
	else
		ret = vmctl_kvm_ioctl(vcpu->port.kvm, KVM_RUN, arg, false);
	if (vcpu->timed)
		WRITE_ONCE(*run_ns, *run_ns + ktime_get_ns() - start);
	return ret;
}

/* Leave the slot, and see to those who wait for it. */
static __always_inline bool slot_leave(struct vmctl_vcpu *vcpu)
{
	bool shut;

	/* A full barrier: the slot is free before we look who shut or waits. */
	xchg(&vcpu->runner, NULL);
	shut = READ_ONCE(vcpu->shut);
	if (unlikely(shut))
		seal(vcpu);
	/* Ordered by xchg() above; pairs with the barrier of the waiter. */
	if (unlikely(waitqueue_active(&vcpu->wait)))
		wake_up(&vcpu->wait);
	return shut;
}

/**
 * vmctl_vcpu_hold - keep all out of KVM_RUN, for a command that is checked
 * @vcpu: which
 *
 * Without it a thread that waits in KVM for the vCPU could run it with what KVM
 * was told before anybody has seen that this was not what had been checked.
 *
 * Return: 0, and vmctl_vcpu_release() must follow; -ENODEV: revoked; -EIO: not
 * the VM's address space; -EINTR: killed.
 */
long vmctl_vcpu_hold(struct vmctl_vcpu *vcpu)
{
	return slot_take(vcpu) ? 0 : slot_wait(vcpu);
}

void vmctl_vcpu_release(struct vmctl_vcpu *vcpu)
{
	slot_leave(vcpu);
}

/* Whether a thread is in KVM_RUN, or keeps others out of it, at this moment. */
bool vmctl_vcpu_runs(const struct vmctl_vcpu *vcpu)
{
	const struct task_struct *runner = READ_ONCE(vcpu->runner);

	return runner && runner != VMCTL_SEALED;
}

/*
 * The path that counts. The slot keeps KVM's file alive by itself: it owns
 * one use of the port until it is sealed.
 */
static __always_inline long vcpu_run(struct vmctl_vcpu *vcpu,
				     unsigned long arg)
{
	long ret;

	if (unlikely(!slot_take(vcpu))) {
		ret = slot_wait(vcpu);
		if (ret)
			return ret;
	}

	if (likely(!READ_ONCE(vcpu->shut))) {
		if (unlikely(vcpu->special))
			ret = run_specially(vcpu, arg);
		else
			ret = vmctl_kvm_ioctl(vcpu->port.kvm, KVM_RUN, arg,
					      false);
		if (likely(!ret))
			count_exit(vcpu, READ_ONCE(*vcpu->exit_reason), ret);
		else
			count_failure(vcpu, ret);
	} else {
		ret = -ENODEV;
	}

	if (unlikely(slot_leave(vcpu)))
		ret = -ENODEV;
	return ret;
}

/* Ends the use of a vCPU; the caller holds vm->lock. */
void vmctl_vcpu_shut(struct vmctl_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->vm->lock);

	if (vcpu->shut)
		return;
	/* Before the compare-and-swap in seal(): pairs with vcpu_run(). */
	WRITE_ONCE(vcpu->shut, true);
	seal(vcpu);
	vmctl_port_close(&vcpu->port);
	wake_up_all(&vcpu->wait);
}

/* vCPUs whose file is gone, but whose knock is still on its way. */
static LIST_HEAD(lingering);
static DEFINE_SPINLOCK(lingering_lock);

static void bury_lingering(struct work_struct *work);
static DECLARE_DELAYED_WORK(burial, bury_lingering);

/* completion_done() is true only when complete() has let go of it, too. */
static void bury_lingering(struct work_struct *work)
{
	struct vmctl_vcpu *vcpu, *next;

	spin_lock(&lingering_lock);
	list_for_each_entry_safe(vcpu, next, &lingering, node) {
		if (!completion_done(&vcpu->knock.completion))
			continue;
		list_del(&vcpu->node);
		kfree(vcpu);
		module_put(THIS_MODULE);
	}
	if (!list_empty(&lingering))
		queue_delayed_work(vmctl_wq, &burial, HZ / 10);
	spin_unlock(&lingering_lock);
}

/* Nobody lingers any more, but the timer may still be set. */
void vmctl_vcpu_exit(void)
{
	cancel_delayed_work_sync(&burial);
}

static void vcpu_free(struct vmctl_vcpu *vcpu)
{
	struct vmctl_vm *vm = vcpu->vm;

	vmctl_port_free(&vcpu->port);
	vmctl_shadow_free(vcpu);
	if (!vcpu->knocked || completion_done(&vcpu->knock.completion)) {
		kfree(vcpu);
	} else {
		__module_get(THIS_MODULE);
		spin_lock(&lingering_lock);
		list_add_tail(&vcpu->node, &lingering);
		spin_unlock(&lingering_lock);
		queue_delayed_work(vmctl_wq, &burial, HZ / 10);
	}
	vmctl_vm_put(vm);
}

/**
 * vmctl_vcpu_knock - make the thread in KVM_RUN come out, without a signal
 * @vcpu: of a revoked VM, so that nobody new gets in; at most once
 *
 * Task work that is announced like a signal ends KVM_RUN with -EINTR. What it
 * runs is the kernel's own wakeme_after_rcu(), which completes vcpu->knock:
 * so no text of this module runs in that thread, and unloading need not fear
 * for it. The thread may take its time, and nobody waits for it but the memory
 * of the vCPU.
 */
void vmctl_vcpu_knock(struct vmctl_vcpu *vcpu)
{
	struct task_struct *runner;

	lockdep_assert_held(&vcpu->vm->lock);

	init_completion(&vcpu->knock.completion);
	init_task_work(&vcpu->knock.head, wakeme_after_rcu);

	/* A runner clears the slot before it can exit, and goes by RCU. */
	rcu_read_lock();
	runner = READ_ONCE(vcpu->runner);
	if (runner && runner != VMCTL_SEALED)
		vcpu->knocked = !task_work_add(runner, &vcpu->knock.head,
					       TWA_SIGNAL);
	rcu_read_unlock();
}

/*
 * The pages of the run page mapping come from KVM one by one, by reference:
 * the mapping holds our vCPU, never KVM's file. So the VM counts as long as it
 * is mapped, and after revocation KVM can go although pages are still mapped.
 */
static vm_fault_t vcpu_fault(struct vm_fault *vmf)
{
	struct vmctl_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vcpu->shadow && !vmf->pgoff) {
		vmf->page = vmctl_shadow_page(vcpu);
		return 0;
	}
	if (vmctl_port_enter(&vcpu->port)) {
		vmf->page = vmctl_kvm_page(vcpu->port.kvm, vmf->pgoff);
		vmctl_port_leave(&vcpu->port);
		return vmf->page ? 0 : VM_FAULT_SIGBUS;
	}

	/* Revoked: the process is not to be harmed by looking. */
	if (vmf->pgoff >= KVM_DIRTY_LOG_PAGE_OFFSET)
		return VM_FAULT_SIGBUS;
	vmf->page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	return vmf->page ? 0 : VM_FAULT_OOM;
}

static const struct vm_operations_struct vcpu_vm_ops = {
	.fault = vcpu_fault,
};

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vmctl_vcpu *vcpu = file->private_data;

	if (READ_ONCE(vcpu->vm->revoked))
		return -ENODEV;
	/* KVM's rule for the dirty ring, which lies behind the fixed pages. */
	if (vma->vm_pgoff + vma_pages(vma) > KVM_DIRTY_LOG_PAGE_OFFSET &&
	    ((vma->vm_flags & VM_EXEC) || !(vma->vm_flags & VM_SHARED)))
		return -EINVAL;
	vma->vm_ops = &vcpu_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct vmctl_vcpu *vcpu = file->private_data;
	struct vmctl_vm *vm = vcpu->vm;

	/* Else KVM refused to make it. */
	if (vcpu->port.kvm) {
		scoped_guard(mutex, &vm->lock) {
			vmctl_vcpu_shut(vcpu);
			vmctl_counters_add(&vm->gone, &vcpu->counters);
			list_del(&vcpu->node);
		}
		vmctl_status_changed(vm->user);
	}
	vcpu_free(vcpu);
	return 0;
}

/* Apart, so that KVM_RUN does not pay for the room that this takes. */
static noinline long vcpu_dispatch(struct vmctl_vcpu *vcpu, unsigned int cmd,
				   unsigned long arg, bool compat)
{
	struct vmctl_call call = {
		.cmd = cmd,
		.arg = arg,
		.compat = compat,
		.vm = vcpu->vm,
		.vcpu = vcpu,
		.port = &vcpu->port,
	};

	return vmctl_dispatch(&call);
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vmctl_vcpu *vcpu = file->private_data;

	if (likely(cmd == KVM_RUN))
		return vcpu_run(vcpu, arg);
	return vcpu_dispatch(vcpu, cmd, arg, false);
}

#ifdef CONFIG_COMPAT
static long vcpu_compat_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	/* The same for KVM in both modes. */
	if (cmd == KVM_RUN)
		return vcpu_ioctl(file, cmd, arg);
	return vcpu_dispatch(file->private_data, cmd, arg, true);
}
#endif

static const struct file_operations vcpu_fops = {
	.owner		= THIS_MODULE,
	.release	= vcpu_release,
	.mmap		= vcpu_mmap,
	.unlocked_ioctl	= vcpu_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= vcpu_compat_ioctl,
#endif
	.llseek		= noop_llseek,
};

static struct vmctl_vcpu *vcpu_alloc(struct vmctl_vm *vm, u32 id)
{
	struct vmctl_vcpu *vcpu;
	int ret;

	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	ret = vmctl_shadow_make(vcpu, vm->port.bill);
	if (ret)
		goto err_vcpu;
	ret = vmctl_port_prepare(&vcpu->port, vm->pid, vm->port.bill);
	if (ret)
		goto err_shadow;
	init_waitqueue_head(&vcpu->wait);
	INIT_LIST_HEAD(&vcpu->node);
	vcpu->id = id;
	vcpu->timed = vm->flags & VMCTL_VM_TIME_RUN;
	vcpu->special = vcpu->timed || vcpu->shadow;
	vcpu->vm = vm;
	kref_get(&vm->kref);
	return vcpu;

err_shadow:
	vmctl_shadow_free(vcpu);
err_vcpu:
	kfree(vcpu);
	return ERR_PTR(ret);
}

/*
 * KVM_CREATE_VCPU waits for locks that the VM's other commands hold, and those
 * may wait for user memory as long as its owner likes. They are let out first,
 * so that exec_update_lock, for which others wait, is not held for that. What is
 * left is KVM's own: on Intel it makes a page for the APIC in the caller's memory
 * with the first vCPU, and who maps slow memory over that in time keeps readers
 * of his own files in /proc waiting, until he is killed or they are.
 */
static int make_vcpu(struct vmctl_call *call, struct file **kvm)
{
	int ret;

	ret = vmctl_bill_charge(call->port->bill, VMCTL_VCPUS, 1);
	if (ret)
		return ret;
	if (down_write_killable(&call->vm->making)) {
		ret = -EINTR;
	} else {
		ret = vmctl_airlock_ioctl(call->port->kvm, KVM_CREATE_VCPU,
					  call->arg, 0, kvm);
		up_write(&call->vm->making);
	}
	if (ret)
		vmctl_bill_refund(call->port->bill, VMCTL_VCPUS, 1);
	return ret;
}

/**
 * vmctl_vcpu_create - KVM_CREATE_VCPU
 * @call: on the VM fd, inside its port; call->file is set
 *
 * KVM cannot take a vCPU back once it is made, so the call to KVM is the last
 * step that can fail.
 *
 * Return: the fd, under which the dispatcher is to publish call->file; or a
 * negative errno.
 */
long vmctl_vcpu_create(struct vmctl_call *call)
{
	char name[sizeof("vmctl-vcpu:4294967295")];
	struct vmctl_vm *vm = call->vm;
	struct vmctl_vcpu *vcpu;
	struct file *file, *kvm;
	int fd, ret;

	vcpu = vcpu_alloc(vm, call->arg);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0) {
		vcpu_free(vcpu);
		return fd;
	}

	snprintf(name, sizeof(name), "vmctl-vcpu:%u", vcpu->id);
	file = anon_inode_getfile(name, &vcpu_fops, vcpu, O_RDWR);
	if (IS_ERR(file)) {
		ret = PTR_ERR(file);
		vcpu_free(vcpu);
		goto err_fd;
	}

	/* From here on the file owns the vCPU. */
	ret = make_vcpu(call, &kvm);
	if (ret)
		goto err_file;

	scoped_guard(mutex, &vm->lock) {
		vmctl_port_open(&vcpu->port, kvm, 2);
		vcpu->exit_reason = vmctl_kvm_exit_reason(kvm);
		list_add_tail(&vcpu->node, &vm->vcpus);
		if (vm->revoked)
			vmctl_vcpu_shut(vcpu);
	}
	vmctl_status_changed(vm->user);

	call->file = file;
	return fd;

err_file:
	fput(file);
err_fd:
	put_unused_fd(fd);
	return ret;
}
