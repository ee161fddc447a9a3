// SPDX-License-Identifier: GPL-2.0
/*
 * Keeps preempt notifiers on, in a test VM with emulated CPUs.
 *
 * KVM turns them on with its first VM and off with its last, each time by
 * patching the scheduler's code on all CPUs. An emulator that translates for
 * several CPUs at once can keep a translation of the breakpoint that stands
 * there meanwhile, on which the CPU then hangs.
 */
#include <linux/module.h>
#include <linux/preempt.h>

static int __init steady_init(void)
{
	preempt_notifier_inc();
	return 0;
}
module_init(steady_init);

static void __exit steady_exit(void)
{
	preempt_notifier_dec();
}
module_exit(steady_exit);

MODULE_DESCRIPTION("Keeps preempt notifiers on");
MODULE_LICENSE("GPL");
