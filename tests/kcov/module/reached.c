// SPDX-License-Identifier: GPL-2.0
/*
 * reached: which places of vmctl and nuke were reached, by whomever.
 *
 * KCOV's instrumentation makes each basic block call __sanitizer_cov_trace_pc().
 * KCOV itself records that for a task that has asked for it, which leaves out
 * workers, RCU, whoever was killed and whoever cannot open debugfs. So there is
 * a probe on that function instead.
 *
 * /sys/kernel/debug/reached: a line for each place, "MODULE core|init OFFSET",
 * the return address as an offset into that part of the module, which stays
 * the same when it is loaded anew; and how many calls were missed, as "missed
 * COUNT". For the debug kernel alone.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/seq_file.h>

/* Bytes of text that a part may have. */
#define TEXT_SIZE	0x40000

/**
 * struct part - text that stands in memory as a whole
 * @module: whose
 * @name: for people
 * @base: where it is now
 * @size: 0 while it is not there
 * @reached: by offset from @base
 */
struct part {
	const char *module;
	const char *name;
	unsigned long base;
	unsigned long size;
	DECLARE_BITMAP(reached, TEXT_SIZE);
};

static struct part parts[] = {
	{ .module = "vmctl", .name = "core" },
	{ .module = "vmctl", .name = "init" },
	{ .module = "nuke", .name = "core" },
	{ .module = "nuke", .name = "init" },
};

static int note(struct kprobe *probe, struct pt_regs *regs)
{
	/* The function has only just been called. */
	unsigned long at = *(unsigned long *)regs->sp;
	struct part *part;

	for (part = parts; part < parts + ARRAY_SIZE(parts); part++)
		if (at - READ_ONCE(part->base) < READ_ONCE(part->size))
			set_bit(at - part->base, part->reached);
	return 0;
}

static struct kprobe probe = {
	.symbol_name = "__sanitizer_cov_trace_pc",
	.pre_handler = note,
};

static void place(struct part *part, const struct module_layout *layout)
{
	WARN_ON(layout->text_size > TEXT_SIZE);
	WRITE_ONCE(part->base, (unsigned long)layout->base);
	WRITE_ONCE(part->size, min_t(unsigned long, layout->text_size, TEXT_SIZE));
}

/* Before a module's init and after it, and after its exit. */
static int follow(struct notifier_block *block, unsigned long state, void *data)
{
	const struct module *module = data;
	struct part *part;

	for (part = parts; part < parts + ARRAY_SIZE(parts); part++) {
		bool is_init = !strcmp(part->name, "init");

		if (strcmp(part->module, module->name))
			continue;
		if (state == MODULE_STATE_COMING)
			place(part, is_init ? &module->init_layout :
					      &module->core_layout);
		else if (is_init || state == MODULE_STATE_GOING)
			WRITE_ONCE(part->size, 0);
	}
	return NOTIFY_OK;
}

static struct notifier_block follower = { .notifier_call = follow };

static int reached_show(struct seq_file *m, void *unused)
{
	struct part *part;
	unsigned long at;

	for (part = parts; part < parts + ARRAY_SIZE(parts); part++)
		for_each_set_bit(at, part->reached, TEXT_SIZE)
			seq_printf(m, "%s %s %#lx\n", part->module, part->name,
				   at);
	seq_printf(m, "missed %lu\n", probe.nmissed);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reached);

static struct dentry *node;

static int __init reached_init(void)
{
	int ret;

	ret = register_kprobe(&probe);
	if (ret)
		return ret;
	ret = register_module_notifier(&follower);
	if (ret) {
		unregister_kprobe(&probe);
		return ret;
	}
	node = debugfs_create_file("reached", 0444, NULL, NULL, &reached_fops);
	return 0;
}
module_init(reached_init);

static void __exit reached_exit(void)
{
	debugfs_remove(node);
	unregister_module_notifier(&follower);
	unregister_kprobe(&probe);
}
module_exit(reached_exit);

MODULE_DESCRIPTION("Which places of vmctl and nuke were reached");
MODULE_LICENSE("GPL");
