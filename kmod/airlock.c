// SPDX-License-Identifier: GPL-2.0
/*
 * The airlock: where KVM's new fds appear.
 *
 * KVM_CREATE_VM and KVM_CREATE_VCPU install an fd in current's table of open
 * files and must run in the caller's own context. In the caller's own table
 * any of his threads could use that fd, however short it stood there. So for
 * the time of the call current is given another table, which no other task
 * uses; the file is taken out of it before current gets its own back.
 *
 * Others can look into current's table through its task: pidfd_getfd() and
 * kcmp() are kept out by holding exec_update_lock for writing. What is left
 * shows names and flags but gives no file: /proc/PID/fd resolves to an
 * anonymous inode, which cannot be opened.
 *
 * The tables are real ones, made by the kernel for short-lived user mode
 * helpers that give up before they would start a program: there is no other
 * way to a table of one's own for a module. (init_task's table would do, but
 * every kernel thread shares it, and root may pidfd_getfd() from those.)
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "vmctl.h"

/* Airlocks that are kept when idle. */
#define AIRLOCKS_KEPT	16

/**
 * struct airlock - one table of open files
 * @node: in airlocks, when idle
 * @files: the table; the reference is ours, lent to current during a call
 */
struct airlock {
	struct list_head node;
	struct files_struct *files;
};

static LIST_HEAD(airlocks);
static unsigned int airlocks_idle;
static DEFINE_SPINLOCK(airlocks_lock);

static void trim(struct work_struct *work);
static DECLARE_DELAYED_WORK(trimming, trim);

/* Runs in the helper: keep its table, give up the rest. */
static int take_files(struct subprocess_info *info, struct cred *cred)
{
	struct airlock *lock = info->data;

	atomic_inc(&current->files->count);
	lock->files = current->files;
	return -ECANCELED;
}

static struct airlock *airlock_make(void)
{
	struct subprocess_info *info;
	struct airlock *lock;
	int ret;

	lock = kzalloc(sizeof(*lock), GFP_KERNEL);
	if (!lock)
		return ERR_PTR(-ENOMEM);

	/* Never started; but the kernel wants the name of a program. */
	info = call_usermodehelper_setup("/bin/false", NULL, NULL, GFP_KERNEL,
					 take_files, NULL, lock);
	if (!info) {
		kfree(lock);
		return ERR_PTR(-ENOMEM);
	}

	ret = call_usermodehelper_exec(info, UMH_WAIT_EXEC);
	if (!lock->files) {
		kfree(lock);
		return ERR_PTR(ret < 0 ? ret : -EAGAIN);
	}

	/* The helper reports before it exits; until then the table is its. */
	while (atomic_read(&lock->files->count) > 1)
		usleep_range(20, 100);
	return lock;
}

/**
 * struct burial - gives a table back by exiting with it
 * @files: the table
 * @taken: the thread has taken it
 */
struct burial {
	struct files_struct *files;
	struct completion taken;
};

static int bury(void *data)
{
	struct burial *burial = data;
	struct files_struct *shared;

	task_lock(current);
	shared = current->files;
	current->files = burial->files;
	task_unlock(current);
	/* Kernel threads share init_task's table, which never goes. */
	WARN_ON(atomic_dec_and_test(&shared->count));
	complete(&burial->taken);
	return 0;
}

/* put_files_struct() is not exported, but each task's exit calls it. */
static int airlock_free(struct airlock *lock)
{
	struct burial burial = { .files = lock->files };
	struct task_struct *task;

	init_completion(&burial.taken);
	task = kthread_create(bury, &burial, "vmctl-airlock");
	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	wait_for_completion(&burial.taken);
	/* Until it has left this module's text. */
	kthread_stop(task);
	put_task_struct(task);
	kfree(lock);
	return 0;
}

/* An idle airlock, if more than so many are idle. */
static struct airlock *airlock_take(unsigned int kept)
{
	struct airlock *lock = NULL;

	spin_lock(&airlocks_lock);
	if (airlocks_idle > kept) {
		lock = list_first_entry(&airlocks, struct airlock, node);
		list_del(&lock->node);
		airlocks_idle--;
	}
	spin_unlock(&airlocks_lock);
	return lock;
}

static void airlock_put(struct airlock *lock)
{
	spin_lock(&airlocks_lock);
	list_add(&lock->node, &airlocks);
	if (++airlocks_idle > AIRLOCKS_KEPT)
		queue_delayed_work(vmctl_wq, &trimming, HZ);
	spin_unlock(&airlocks_lock);
}

static struct airlock *airlock_get(void)
{
	return airlock_take(0) ?: airlock_make();
}

/* In a worker: kthread_create() gives up in a task that is being killed. */
static void free_down_to(unsigned int kept)
{
	struct airlock *lock;

	while ((lock = airlock_take(kept))) {
		if (!airlock_free(lock))
			continue;
		airlock_put(lock);
		msleep(100);
	}
}

static void trim(struct work_struct *work)
{
	free_down_to(AIRLOCKS_KEPT);
}

static void empty(struct work_struct *work)
{
	free_down_to(0);
}

/* The allocator begins its search here; all below counts as taken. */
static void set_next_fd(struct files_struct *files, unsigned int number)
{
	spin_lock(&files->file_lock);
	files->next_fd = number;
	spin_unlock(&files->file_lock);
}

static struct files_struct *swap_files(struct files_struct *files)
{
	struct files_struct *old;

	task_lock(current);
	old = current->files;
	current->files = files;
	task_unlock(current);
	return old;
}

/**
 * vmctl_airlock_ioctl - let KVM make an fd, and take its file
 * @kvm: KVM's file
 * @cmd: a command that returns a new fd and does not read user memory
 * @arg: its argument
 * @number: the number that KVM is to give the fd, below RLIMIT_NOFILE and
 *          VMCTL_NUMBERS. KVM names the debugfs folder of a VM after it and
 *          the thread.
 * @made: set to the new file, with a reference
 *
 * Return: 0; KVM's errno; -EINTR if killed before the call; -ENOMEM or
 * another errno of call_usermodehelper_exec() if there is no table to be had.
 */
int vmctl_airlock_ioctl(struct file *kvm, unsigned int cmd, unsigned long arg,
			unsigned int number, struct file **made)
{
	struct airlock *lock;
	struct files_struct *own;
	struct file *file = NULL;
	long fd;

	lock = airlock_get();
	if (IS_ERR(lock))
		return PTR_ERR(lock);

	fd = down_write_killable(&current->signal->exec_update_lock);
	if (fd)
		goto put;

	set_next_fd(lock->files, number);
	own = swap_files(lock->files);
	fd = vmctl_kvm_ioctl(kvm, cmd, arg, false);
	if (fd >= 0) {
		file = fget(fd);
		close_fd(fd);
	}
	swap_files(own);
	up_write(&current->signal->exec_update_lock);

	if (fd >= 0 && !file)
		fd = -EIO;
put:
	airlock_put(lock);
	*made = file;
	return fd < 0 ? fd : 0;
}

/* The first one at once, so that what can't work shows when the module loads. */
int __init vmctl_airlock_init(void)
{
	struct airlock *lock = airlock_make();

	if (IS_ERR(lock))
		return PTR_ERR(lock);
	airlock_put(lock);
	return 0;
}

/* Nobody creates anything any more. */
void vmctl_airlock_exit(void)
{
	struct work_struct emptying;

	cancel_delayed_work_sync(&trimming);
	INIT_WORK_ONSTACK(&emptying, empty);
	queue_work(vmctl_wq, &emptying);
	flush_work(&emptying);
	destroy_work_on_stack(&emptying);
	/* What could not be freed at once has asked for another round. */
	cancel_delayed_work_sync(&trimming);
}
