// SPDX-License-Identifier: GPL-2.0
/*
 * Events: what happened, for whoever follows it and for the kernel's audit.
 *
 * They are kept in a ring. Nobody can push the events of others out of it
 * quickly, nor fill the audit's queue with refusals, which cost nothing: of each
 * user only so many are taken in a while, and the next one that is taken tells
 * how many were not. Each VM that is made is audited.
 */
#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "event.h"
#include "limit.h"
#include "vmctl.h"

/* Kept of all users together. */
#define EVENTS		2048

/* Of a user's VMs, and refused to him, in so many seconds. */
#define PACE_SECONDS	5
#define LIFE_PACE	400
#define REFUSAL_PACE	100
#define PACE_BITS	10

/**
 * struct allowance - so many in a while
 * @begin: of the while, in jiffies
 * @taken: since then
 */
struct allowance {
	unsigned long begin;
	u32 taken;
};

/**
 * struct pace - how much a user may say
 * @life: of what becomes of his VMs
 * @refusals: of what he was refused
 * @missed: how many were left out since one was taken
 *
 * By hash, not with the user: who lets go of all and comes back has not got new
 * room. Users whose hashes fall together share it.
 */
struct pace {
	struct allowance life;
	struct allowance refusals;
	u32 missed;
};

/**
 * struct record - one event
 * @event: what the reader gets, but for the numbers of users and processes
 * @uid: whose VM or command
 * @by: who did it
 * @payer: whose limit was met
 * @pid: in which process; held
 */
struct record {
	struct vmctl_event event;
	kuid_t uid;
	kuid_t by;
	kuid_t payer;
	struct pid *pid;
};

/* Protects all below, and where each client and each user stands. */
static DEFINE_SPINLOCK(ring_lock);
static struct record *ring;
static u64 next_seq = 1;

static struct pace paces[1 << PACE_BITS];

int __init vmctl_event_init(void)
{
	ring = vzalloc(array_size(EVENTS, sizeof(*ring)));
	return ring ? 0 : -ENOMEM;
}

void vmctl_event_exit(void)
{
	for (int i = 0; i < EVENTS; i++)
		put_pid(ring[i].pid);
	vfree(ring);
}

static struct record *record_of(u64 seq)
{
	return &ring[seq % EVENTS];
}

static bool take(struct allowance *allowance, u32 most)
{
	if (!allowance->taken ||
	    time_after(jiffies, allowance->begin + PACE_SECONDS * HZ)) {
		allowance->begin = jiffies;
		allowance->taken = 0;
	}
	if (allowance->taken == most)
		return false;
	allowance->taken++;
	return true;
}

static bool keeps_pace(struct pace *pace, u32 kind)
{
	lockdep_assert_held(&ring_lock);

	if (kind == VMCTL_EVENT_REFUSED || kind == VMCTL_EVENT_LIMIT)
		return take(&pace->refusals, REFUSAL_PACE);
	return take(&pace->life, LIFE_PACE);
}

/* Returns whether it was taken; *missed tells how many before it were not. */
static bool add(struct vmctl_user *user, const struct vmctl_event *what,
		kuid_t payer, struct pid *pid, u32 *missed)
{
	struct pace *pace = &paces[hash_32(__kuid_val(user->account),
					   PACE_BITS)];
	struct record *record;
	struct pid *old;

	spin_lock(&ring_lock);
	if (!keeps_pace(pace, what->kind)) {
		pace->missed++;
		spin_unlock(&ring_lock);
		return false;
	}
	record = record_of(next_seq);
	old = record->pid;
	*record = (struct record){
		.event = *what,
		.uid = user->uid,
		.by = current_uid(),
		.payer = payer,
		.pid = get_pid(pid),
	};
	record->event.seq = next_seq;
	record->event.time_ns = ktime_get_real_ns();
	swap(record->event.missed, pace->missed);
	*missed = record->event.missed;
	WRITE_ONCE(user->last_event, next_seq);
	WRITE_ONCE(next_seq, next_seq + 1);
	spin_unlock(&ring_lock);
	put_pid(old);
	vmctl_status_wake(user);
	return true;
}

/* Names are escaped, as for the table. Of refusals some may be left out. */
static void audit(const char *op, const struct vmctl_vm *vm, const char *of,
		  u32 missed, bool done)
{
	struct audit_buffer *ab;

	if (audit_enabled == AUDIT_OFF)
		return;
	ab = audit_log_start(audit_context(), GFP_KERNEL, AUDIT_KERNEL);
	if (!ab)
		return;
	audit_log_format(ab, "vmctl: op=%s vm=%u", op, vm ? vm->id : 0);
	if (vm)
		audit_log_format(ab, " name=\"%s\" owner=%u", vm->shown,
				 from_kuid(&init_user_ns, vm->user->uid));
	if (of)
		audit_log_format(ab, " of=%s missed=%u", of, missed);
	audit_log_task_info(ab);
	audit_log_format(ab, " res=%d", done);
	audit_log_end(ab);
}

/**
 * vmctl_event_vm - a VM was created, revoked or ended
 * @vm: which
 * @kind: VMCTL_EVENT_CREATED, _REVOKED, or _ENDED: of the process that made it,
 *        whoever closed the last fd
 */
void vmctl_event_vm(struct vmctl_vm *vm, u32 kind)
{
	bool ended = kind == VMCTL_EVENT_ENDED;
	u32 missed;
	struct vmctl_event event = {
		.kind = kind,
		.vm = vm->id,
	};

	memcpy(event.name, vm->name, sizeof(event.name));
	add(vm->user, &event, INVALID_UID,
	    ended ? vm->pid : task_tgid(current), &missed);
	if (!ended)
		audit(kind == VMCTL_EVENT_CREATED ? "create" : "revoke", vm,
		      NULL, 0, true);
}

/**
 * vmctl_event_refused - a command was not let through
 * @call: which
 * @name: for people
 */
void vmctl_event_refused(const struct vmctl_call *call, const char *name)
{
	struct vmctl_vm *vm = call->vm;
	u32 missed;
	struct vmctl_event event = {
		.kind = VMCTL_EVENT_REFUSED,
		.vm = vm ? vm->id : 0,
		.cmd = call->cmd,
	};

	strscpy(event.name, name, sizeof(event.name));
	if (add(vm ? vm->user : call->client->user, &event, INVALID_UID,
		task_tgid(current), &missed))
		audit("refuse", vm, name, missed, false);
}

/**
 * vmctl_event_limit - a command met a limit
 * @bill: of the VM, or of what would have been one
 * @what: resource, scope, limit, used and wanted
 */
void vmctl_event_limit(const struct vmctl_bill *bill,
		       const struct vmctl_event *what)
{
	struct vmctl_event event = *what;
	u32 missed;

	event.kind = VMCTL_EVENT_LIMIT;
	if (add(bill->user, &event, bill->payer->uid, task_tgid(current),
		&missed))
		audit("limit", NULL, vmctl_resource_name(what->resource),
		      missed, false);
}

/* What a user at a process has here, in numbers for whoever reads. */
static void show(const struct vmctl_client *client, const struct record *record,
		 struct vmctl_event *event)
{
	struct user_namespace *ns = current_user_ns();

	*event = record->event;
	event->uid = from_kuid_munged(ns, record->uid);
	event->by_uid = from_kuid_munged(ns, record->by);
	if (uid_valid(record->payer))
		event->payer = from_kuid(ns, record->payer);
	event->pid = pid_nr_ns(record->pid, task_active_pid_ns(current));
	if (client->admin)
		return;
	/* Gaps would tell how much others do, and this what they have. */
	event->seq = 0;
	if (event->scope == VMCTL_SCOPE_TOTAL)
		event->used = VMCTL_UNKNOWN;
}

static bool is_for(const struct vmctl_client *client,
		   const struct record *record)
{
	return client->admin || uid_eq(record->uid, client->user->uid);
}

/* The newest event of all, for a user who is new here: it may be his from before. */
u64 vmctl_event_newest(void)
{
	return READ_ONCE(next_seq) - 1;
}

/* Whether there is an event that a client has not got, or has not asked for. */
bool vmctl_event_waits(struct vmctl_client *client)
{
	u64 last = client->admin ? vmctl_event_newest() :
		   READ_ONCE(client->user->last_event);

	return last >= READ_ONCE(client->next_event);
}

/**
 * vmctl_event_next - the next event for a client
 * @client: moves on
 * @event: all written
 *
 * Return: 0; -EAGAIN: none yet.
 */
int vmctl_event_next(struct vmctl_client *client, struct vmctl_event *event)
{
	const struct record *record;
	int ret = -EAGAIN;
	u64 seq;

	spin_lock(&ring_lock);
	seq = client->next_event;
	if (next_seq > EVENTS)
		seq = max(seq, next_seq - EVENTS);
	for (seq = max(seq, 1ULL); seq < next_seq && ret; seq++) {
		record = record_of(seq);
		if (!is_for(client, record))
			continue;
		show(client, record, event);
		ret = 0;
	}
	WRITE_ONCE(client->next_event, seq);
	spin_unlock(&ring_lock);
	return ret;
}
