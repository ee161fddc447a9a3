// SPDX-License-Identifier: GPL-2.0
/*
 * Not for use: does one wrong thing while it loads, to see whether it is
 * found. Each is as small as it can be, and harmless on the debug kernel.
 */
#include <linux/irqflags.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>

static char *bug = "none";
module_param(bug, charp, 0444);
MODULE_PARM_DESC(bug, "What to do wrong, by its name in the table");

#define SIZE	100

static void none(void)
{
	char *room = kmalloc(SIZE, GFP_KERNEL);

	kfree(room);
}

static void use_after_free(void)
{
	char *room = kmalloc(SIZE, GFP_KERNEL);

	kfree(room);
	OPTIMIZER_HIDE_VAR(room);
	READ_ONCE(room[0]);
}

static void double_free(void)
{
	char *room = kmalloc(SIZE, GFP_KERNEL);

	kfree(room);
	OPTIMIZER_HIDE_VAR(room);
	kfree(room);
}

static void out_of_bounds(void)
{
	char *room = kmalloc(SIZE, GFP_KERNEL);
	size_t at = SIZE;

	OPTIMIZER_HIDE_VAR(at);
	if (room)
		READ_ONCE(room[at]);
	kfree(room);
}

/* Several: a stale word on some stack may point to one. */
static void leak(void)
{
	for (int i = 0; i < 16; i++) {
		void *room = kmalloc(SIZE, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(room);
	}
}

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);

static void lock_inversion(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static DEFINE_SPINLOCK(spin);

static void sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
}

static void shift(void)
{
	int by = 40;
	int one = 1;

	OPTIMIZER_HIDE_VAR(by);
	one <<= by;
	OPTIMIZER_HIDE_VAR(one);
}

/* What lies behind the array is no secret to KASAN. */
static struct {
	int few[4];
	int more[4];
} table;

static void array_index(void)
{
	int at = 5;

	OPTIMIZER_HIDE_VAR(at);
	READ_ONCE(table.few[at]);
}

static void never(struct timer_list *timer)
{
}

static void free_a_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, never, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static void hang(void)
{
	schedule_timeout_uninterruptible(5 * HZ);
}

static void irqs_off(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void warn(void)
{
	WARN_ON(1);
}

static void refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	if (refcount_dec_and_test(&count))
		pr_info("not reached\n");
}

static void add_twice(void)
{
	static LIST_HEAD(list);
	static LIST_HEAD(entry);

	list_add(&entry, &list);
	list_add(&entry, &list);
}

static const struct {
	const char *name;
	void (*act)(void);
} bugs[] = {
	{ "none", none },
	{ "use-after-free", use_after_free },
	{ "double-free", double_free },
	{ "out-of-bounds", out_of_bounds },
	{ "leak", leak },
	{ "lock-inversion", lock_inversion },
	{ "sleep-in-atomic", sleep_in_atomic },
	{ "shift", shift },
	{ "array-index", array_index },
	{ "free-a-timer", free_a_timer },
	{ "hang", hang },
	{ "irqs-off", irqs_off },
	{ "warn", warn },
	{ "refcount", refcount },
	{ "add-twice", add_twice },
};

static int __init lab_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bug, bugs[i].name))
			continue;
		bugs[i].act();
		return 0;
	}
	return -EINVAL;
}
module_init(lab_init);

static void __exit lab_exit(void)
{
}
module_exit(lab_exit);

MODULE_DESCRIPTION("Does one wrong thing, for a test of the detectors");
MODULE_LICENSE("GPL");
