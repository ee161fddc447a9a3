// SPDX-License-Identifier: GPL-2.0
/*
 * The table of VMs as text: read, poll, and commands by write.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "event.h"
#include "vmctl.h"

/* Bytes that one write may bring. */
#define COMMANDS_SIZE	4096

/* Changes of the whole table, as an admin sees it. */
static atomic64_t generation;
static DECLARE_WAIT_QUEUE_HEAD(admins);

static struct vmctl_client *client_of(struct file *file)
{
	return ((struct seq_file *)file->private_data)->private;
}

/* Let all look again who wait for something of this user. */
void vmctl_status_wake(struct vmctl_user *user)
{
	wake_up_interruptible_all(&user->wait);
	wake_up_interruptible_all(&admins);
}

/* The table of this user, and of admins, is not what it was. */
void vmctl_status_changed(struct vmctl_user *user)
{
	atomic64_inc(&user->generation);
	atomic64_inc(&generation);
	vmctl_status_wake(user);
}

/* Changes of others are none of a client's business, not even as a count. */
static u64 generation_of(struct vmctl_client *client)
{
	return atomic64_read(client->admin ? &generation :
			     &client->user->generation);
}

static void show_vm(struct seq_file *m, struct vmctl_vm *vm)
{
	struct vmctl_counters sum = { };
	struct vmctl_vcpu *vcpu;
	u32 vcpus = 0;
	u64 exits;

	guard(mutex)(&vm->lock);

	exits = vmctl_counters_add(&sum, &vm->gone);
	list_for_each_entry(vcpu, &vm->vcpus, node) {
		exits += vmctl_counters_add(&sum, &vcpu->counters);
		vcpus++;
	}

	seq_printf(m, "%u %d %u %s %s %u %llu %llu ", vm->id,
		   pid_nr_ns(vm->pid, task_active_pid_ns(current)),
		   from_kuid_munged(seq_user_ns(m), vm->user->uid),
		   vm->shown[0] ? vm->shown : "-",
		   vm->revoked ? "revoked" : "active", vcpus,
		   vm->memory, exits);
	if (vm->measured)
		seq_printf(m, "sha256:%*phN\n", VMCTL_SHA256_SIZE, vm->sha256);
	else
		seq_puts(m, "-\n");
}

int vmctl_status_show(struct seq_file *m, void *unused)
{
	struct vmctl_client *client = m->private;
	struct vmctl_vm *vm;

	guard(mutex)(&vmctl_lock);

	/* Before the table: a change that comes later shows at the next poll. */
	WRITE_ONCE(client->seen, generation_of(client));
	list_for_each_entry(vm, &vmctl_vms, node) {
		if (client->admin || vm->user == client->user)
			show_vm(m, vm);
	}
	return 0;
}

__poll_t vmctl_status_poll(struct file *file, struct poll_table_struct *wait)
{
	struct vmctl_client *client = client_of(file);
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, client->admin ? &admins : &client->user->wait, wait);
	if (READ_ONCE(client->seen) != generation_of(client))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (vmctl_event_waits(client))
		mask |= EPOLLPRI;
	return mask;
}

/* One line; ids start at 1, so 0 says that the line is empty. */
static int parse(char *line, u32 *id)
{
	const char *word = strim(line);
	int length;

	*id = 0;
	if (!*word)
		return 0;
	length = str_has_prefix(word, "revoke");
	if (!length || !isspace(word[length]))
		return -EINVAL;
	if (kstrtou32(skip_spaces(word + length), 10, id) || !*id)
		return -EINVAL;
	return 0;
}

static int revoke(struct vmctl_client *client, u32 id)
{
	struct vmctl_vm *vm = vmctl_vm_find(client, id);

	if (!vm)
		return -ENOENT;
	vmctl_vm_revoke(vm);
	vmctl_vm_put(vm);
	return 0;
}

/* Parse all lines, or parse again and carry out. */
static int each_line(char *text, struct vmctl_client *client)
{
	char *line;
	u32 id;
	int ret;

	while ((line = strsep(&text, "\n"))) {
		ret = parse(line, &id);
		if (ret)
			return ret;
		if (!client || !id)
			continue;
		ret = revoke(client, id);
		if (ret)
			return ret;
	}
	return 0;
}

static int carry_out(char *text, size_t count, struct vmctl_client *client)
{
	char *draft;
	int ret;

	if (strlen(text) != count)
		return -EINVAL;
	draft = kmemdup(text, count + 1, GFP_KERNEL);
	if (!draft)
		return -ENOMEM;
	ret = each_line(draft, NULL);
	kfree(draft);
	return ret ?: each_line(text, client);
}

ssize_t vmctl_status_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	char *text;
	int ret;

	if (count > COMMANDS_SIZE)
		return -E2BIG;
	text = memdup_user_nul(buf, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	ret = carry_out(text, count, client_of(file));
	kfree(text);

	if (ret == -EINVAL)
		pr_info_ratelimited("a write was no command (pid %d, uid %u)\n",
				    task_tgid_nr(current),
				    from_kuid(&init_user_ns, current_uid()));
	return ret ?: count;
}
