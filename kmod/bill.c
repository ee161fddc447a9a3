// SPDX-License-Identifier: GPL-2.0
/*
 * Bills: what each VM is charged for, against the limits of limit.c.
 *
 * KVM keeps a VM, with its vCPUs and its hold on guest memory, until the last of
 * its files is gone, also those of vCPUs that were closed: so the bill is paid
 * back as a whole, when the last port of the VM lets KVM's file go.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cred.h>
#include <linux/hash.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "event.h"
#include "limit.h"
#include "trace.h"
#include "vmctl.h"

/* Whether why->wanted is too much; what was found stands in it then. */
static bool exceeds(struct vmctl_event *why, unsigned int resource, u64 limit,
		    u64 in_use)
{
	why->resource = resource;
	why->limit = limit;
	why->used = in_use;
	return why->wanted > limit || in_use > limit - why->wanted;
}

/* A user tries again and again: some lines in five seconds for each. */
#define REFUSAL_LINES	20
#define REFUSAL_BITS	6

static struct ratelimit_state refusals[1 << REFUSAL_BITS];

void __init vmctl_bill_init(void)
{
	for (int i = 0; i < ARRAY_SIZE(refusals); i++)
		ratelimit_state_init(&refusals[i], 5 * HZ, REFUSAL_LINES);
}

static void say_refused(const struct vmctl_bill *bill,
			const struct vmctl_event *what)
{
	const char *resource = vmctl_resource_name(what->resource);
	u32 payer = from_kuid(&init_user_ns, bill->payer->uid);
	u32 uid = from_kuid(&init_user_ns, bill->user->uid);
	bool total = what->scope == VMCTL_SCOPE_TOTAL;
	char whose[sizeof("uid 4294967295")] = "all users";

	trace_limit(uid, resource, total, what->limit, what->used,
		    what->wanted);
	vmctl_event_limit(bill, what);
	if (!__ratelimit(&refusals[hash_32(payer, REFUSAL_BITS)]))
		return;
	if (!total)
		snprintf(whose, sizeof(whose), "uid %u", payer);
	pr_notice("uid %u, pid %d: %llu %s more than the limit of %s, %llu, with %llu in use\n",
		  uid, task_tgid_nr(current), what->wanted, resource, whose,
		  what->limit, what->used);
}

static void refund(struct vmctl_bill *bill, unsigned int resource, u64 amount)
{
	lockdep_assert_held(&vmctl_limit_lock);

	bill->amount[resource] -= amount;
	bill->payer->used[resource] -= amount;
	vmctl_totals.used[resource] -= amount;
}

/**
 * vmctl_bill_open - charge a VM
 * @user: whose it is; held until the bill is paid back, as is who pays for him
 *
 * Return: a reference for vmctl_bill_put(); ERR_PTR of -EDQUOT or -ENOMEM.
 */
struct vmctl_bill *vmctl_bill_open(struct vmctl_user *user)
{
	struct vmctl_bill *bill;
	int ret;

	bill = kzalloc(sizeof(*bill), GFP_KERNEL_ACCOUNT);
	if (!bill)
		return ERR_PTR(-ENOMEM);
	refcount_set(&bill->refs, 1);
	bill->payer = vmctl_user_get(vmctl_account());
	if (IS_ERR(bill->payer)) {
		ret = PTR_ERR(bill->payer);
		goto err_bill;
	}
	vmctl_user_hold(user);
	bill->user = user;
	ret = vmctl_bill_charge(bill, VMCTL_VMS, 1);
	if (ret)
		goto err_users;
	return bill;

err_users:
	vmctl_user_put(bill->user);
	vmctl_user_put(bill->payer);
err_bill:
	kfree(bill);
	return ERR_PTR(ret);
}

/**
 * vmctl_bill_charge - charge a VM for more
 * @bill: the VM's
 * @resource: VMCTL_VMS for the VM itself, VMCTL_VCPUS, VMCTL_MEMORY, VMCTL_NESTED
 * @amount: vCPUs, bytes, or 1; for VMCTL_NESTED that is charged once
 *
 * The VM's limit comes first and that of all last: a user at his own limit learns
 * nothing of the others.
 *
 * Return: 0; -EDQUOT, which has been counted, traced and said.
 */
int vmctl_bill_charge(struct vmctl_bill *bill, unsigned int resource,
		      u64 amount)
{
	struct vmctl_user *payer = bill->payer;
	struct vmctl_event why = { .scope = VMCTL_SCOPE_USER, .wanted = amount };

	spin_lock(&vmctl_limit_lock);
	if (resource == VMCTL_NESTED && bill->amount[VMCTL_NESTED])
		goto done;
	if (resource == VMCTL_VCPUS &&
	    exceeds(&why, VMCTL_VM_VCPUS,
		    vmctl_limit_of_user(payer->uid, VMCTL_VM_VCPUS),
		    bill->amount[VMCTL_VCPUS]))
		goto refuse;
	if (exceeds(&why, resource, vmctl_limit_of_user(payer->uid, resource),
		    payer->used[resource]))
		goto refuse;
	why.scope = VMCTL_SCOPE_TOTAL;
	if (exceeds(&why, resource, vmctl_limit_of_all(resource),
		    vmctl_totals.used[resource]))
		goto refuse;
	payer->used[resource] += amount;
	vmctl_totals.used[resource] += amount;
	bill->amount[resource] += amount;
done:
	spin_unlock(&vmctl_limit_lock);
	return 0;

refuse:
	payer->refused[why.resource]++;
	vmctl_totals.refused[why.resource]++;
	spin_unlock(&vmctl_limit_lock);
	say_refused(bill, &why);
	return -EDQUOT;
}

void vmctl_bill_refund(struct vmctl_bill *bill, unsigned int resource,
		       u64 amount)
{
	spin_lock(&vmctl_limit_lock);
	refund(bill, resource, amount);
	spin_unlock(&vmctl_limit_lock);
}

struct vmctl_bill *vmctl_bill_get(struct vmctl_bill *bill)
{
	refcount_inc(&bill->refs);
	return bill;
}

void vmctl_bill_put(struct vmctl_bill *bill)
{
	if (!refcount_dec_and_test(&bill->refs))
		return;
	scoped_guard(spinlock, &vmctl_limit_lock) {
		for (int i = 0; i < VMCTL_RESOURCES; i++)
			refund(bill, i, bill->amount[i]);
	}
	vmctl_user_put(bill->user);
	vmctl_user_put(bill->payer);
	kfree(bill);
}
