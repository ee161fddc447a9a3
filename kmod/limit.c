// SPDX-License-Identifier: GPL-2.0
/*
 * Limits: how much of KVM all users together, and each of them, may hold. What
 * they hold is counted in bill.c.
 */
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "limit.h"
#include "vmctl.h"

/* Users with limits of their own that are kept. */
#define OVERRIDES	1024

/**
 * struct override - a user's own limits
 * @node: in overrides
 * @uid: who
 * @set: which of @limit hold, by bit
 * @limit: instead of the default
 */
struct override {
	struct list_head node;
	kuid_t uid;
	u32 set;
	u64 limit[VMCTL_RESOURCES];
};

/* Protects all that is here, and what bill.c counts. */
DEFINE_SPINLOCK(vmctl_limit_lock);
struct vmctl_totals vmctl_totals;

static LIST_HEAD(overrides);
static unsigned int override_count;

/* By scope TOTAL and DEFAULT; 0 until the module has looked at the machine. */
static u64 limit_of_all[VMCTL_RESOURCES] = {
	512, 2048, 0, VMCTL_UNLIMITED, VMCTL_UNLIMITED
};

static u64 limit_of_each[VMCTL_RESOURCES] = {
	128, 512, 0, 1024, VMCTL_UNLIMITED
};

/* As they were when the module was loaded. */
static u64 start_of_all[VMCTL_RESOURCES];
static u64 start_of_each[VMCTL_RESOURCES];

#define START(scope, resource, array, what) \
	module_param_named(scope##_##resource, array, ullong, 0444); \
	MODULE_PARM_DESC(scope##_##resource, what)
#define ALL(name, resource, what) \
	START(total, name, limit_of_all[resource], what)
#define EACH(name, resource, what) \
	START(user, name, limit_of_each[resource], what)

ALL(vms, VMCTL_VMS, "VMs of all users at the start");
ALL(vcpus, VMCTL_VCPUS, "Their vCPUs");
ALL(memory, VMCTL_MEMORY, "Their bytes of guest memory; 0: 4 times the machine's");
ALL(nested, VMCTL_NESTED, "Their VMs that may run VMs themselves");
EACH(vms, VMCTL_VMS, "VMs of a user at the start");
EACH(vcpus, VMCTL_VCPUS, "Their vCPUs");
EACH(memory, VMCTL_MEMORY, "Their bytes of guest memory; 0: twice the machine's");
EACH(vm_vcpus, VMCTL_VM_VCPUS, "vCPUs of a VM");
EACH(nested, VMCTL_NESTED, "VMs that may run VMs themselves");

const char *vmctl_resource_name(unsigned int resource)
{
	static const char *const names[VMCTL_RESOURCES] = {
		[VMCTL_VMS] = "vms",
		[VMCTL_VCPUS] = "vcpus",
		[VMCTL_MEMORY] = "memory",
		[VMCTL_VM_VCPUS] = "vm_vcpus",
		[VMCTL_NESTED] = "nested",
	};

	return names[resource];
}

static struct override *find(kuid_t uid)
{
	struct override *override;

	lockdep_assert_held(&vmctl_limit_lock);

	list_for_each_entry(override, &overrides, node)
		if (uid_eq(override->uid, uid))
			return override;
	return NULL;
}

/* Under vmctl_limit_lock, as the next one. */
u64 vmctl_limit_of_user(kuid_t uid, unsigned int resource)
{
	const struct override *override = find(uid);

	if (override && override->set & BIT(resource))
		return override->limit[resource];
	return limit_of_each[resource];
}

u64 vmctl_limit_of_all(unsigned int resource)
{
	lockdep_assert_held(&vmctl_limit_lock);

	return limit_of_all[resource];
}

/**
 * vmctl_limit_get - limits and, as far as the caller knows it, their use
 * @scope: VMCTL_SCOPE_*
 * @uid: for VMCTL_SCOPE_USER
 * @limits: limit, set and refused are written; used for VMCTL_SCOPE_TOTAL
 */
void vmctl_limit_get(u32 scope, kuid_t uid, struct vmctl_limits *limits)
{
	const struct override *override;

	spin_lock(&vmctl_limit_lock);
	for (int i = 0; i < VMCTL_RESOURCES; i++) {
		switch (scope) {
		case VMCTL_SCOPE_TOTAL:
			limits->limit[i] = limit_of_all[i];
			limits->used[i] = vmctl_totals.used[i];
			limits->refused[i] = vmctl_totals.refused[i];
			break;
		case VMCTL_SCOPE_DEFAULT:
			limits->limit[i] = limit_of_each[i];
			break;
		default:
			limits->limit[i] = vmctl_limit_of_user(uid, i);
		}
	}
	limits->set = VMCTL_RESOURCES_ALL;
	if (scope == VMCTL_SCOPE_USER) {
		override = find(uid);
		limits->set = override ? override->set : 0;
	}
	spin_unlock(&vmctl_limit_lock);
}

/**
 * vmctl_limit_of - what a user may have at most
 * @uid: who
 * @resource: VMCTL_VMS and so on
 *
 * Return: the lower one of his limit and of that of all users.
 */
u64 vmctl_limit_of(kuid_t uid, unsigned int resource)
{
	u64 limit;

	spin_lock(&vmctl_limit_lock);
	limit = min(vmctl_limit_of_user(uid, resource), limit_of_all[resource]);
	spin_unlock(&vmctl_limit_lock);
	return limit;
}

/**
 * vmctl_limit_left - what a user could have now
 * @uid: who
 * @resource: VMCTL_VMS and so on
 *
 * Return: how much more, as far as limits go; VMCTL_UNLIMITED without any.
 */
u64 vmctl_limit_left(kuid_t uid, unsigned int resource)
{
	struct vmctl_user *user = vmctl_user_find(uid);
	u64 own, all;

	scoped_guard(spinlock, &vmctl_limit_lock) {
		own = vmctl_limit_of_user(uid, resource);
		all = limit_of_all[resource];
		if (own != VMCTL_UNLIMITED)
			own -= min(own, user ? user->used[resource] : 0);
		if (all != VMCTL_UNLIMITED)
			all -= min(all, vmctl_totals.used[resource]);
	}
	if (user)
		vmctl_user_put(user);
	return min(own, all);
}

/**
 * vmctl_limit_next - whoever has limits of his own, one after the other
 * @uid: where to begin; set to the first from there on, by number
 *
 * Return: whether there is one.
 */
bool vmctl_limit_next(kuid_t *uid)
{
	kuid_t first = INVALID_UID;
	struct override *override;

	scoped_guard(spinlock, &vmctl_limit_lock) {
		list_for_each_entry(override, &overrides, node)
			if (uid_gte(override->uid, *uid) &&
			    uid_lt(override->uid, first))
				first = override->uid;
	}
	*uid = first;
	return uid_valid(first);
}

/**
 * vmctl_limit_use - what a user holds, and how often that was too little
 * @uid: who
 * @limits: used and refused are written; zero is there for whoever is unknown
 */
void vmctl_limit_use(kuid_t uid, struct vmctl_limits *limits)
{
	struct vmctl_user *user = vmctl_user_find(uid);

	if (!user)
		return;
	scoped_guard(spinlock, &vmctl_limit_lock) {
		memcpy(limits->used, user->used, sizeof(limits->used));
		memcpy(limits->refused, user->refused, sizeof(limits->refused));
	}
	vmctl_user_put(user);
}

/* What is not set is that of @start then; without one it stays. */
static void take_over(u64 *limit, const struct vmctl_limits *limits,
		      const u64 *start)
{
	for (int i = 0; i < VMCTL_RESOURCES; i++) {
		if (limits->set & BIT(i))
			limit[i] = limits->limit[i];
		else if (start)
			limit[i] = start[i];
	}
}

/* The caller brings a new one, should it be needed, and frees what is left. */
static int set_override(kuid_t uid, const struct vmctl_limits *limits,
			struct override **spare)
{
	struct override *override = find(uid);

	if (!limits->set) {
		if (!override)
			return 0;
		list_del(&override->node);
		override_count--;
		kfree(override);
		return 0;
	}
	if (!override) {
		if (override_count == OVERRIDES)
			return -ENOSPC;
		override = no_free_ptr(*spare);
		override->uid = uid;
		list_add(&override->node, &overrides);
		override_count++;
	}
	override->set = limits->set;
	take_over(override->limit, limits, NULL);
	return 0;
}

/**
 * vmctl_limit_set - change limits; what is in use already may be more
 * @scope: VMCTL_SCOPE_*
 * @uid: for VMCTL_SCOPE_USER
 * @limits: set says which of limit[] hold from now on; the others of a user are
 *          the default ones again, and by VMCTL_LIMITS_REPLACE those of all and
 *          of each what they were at first
 *
 * Return: 0; -ENOSPC: too many users with limits of their own; -ENOMEM.
 */
int vmctl_limit_set(u32 scope, kuid_t uid, const struct vmctl_limits *limits)
{
	bool replace = limits->flags & VMCTL_LIMITS_REPLACE;
	struct override *spare = NULL;
	int ret = 0;

	if (scope == VMCTL_SCOPE_USER) {
		spare = kzalloc(sizeof(*spare), GFP_KERNEL_ACCOUNT);
		if (!spare)
			return -ENOMEM;
	}
	spin_lock(&vmctl_limit_lock);
	if (scope == VMCTL_SCOPE_USER)
		ret = set_override(uid, limits, &spare);
	else if (scope == VMCTL_SCOPE_TOTAL)
		take_over(limit_of_all, limits, replace ? start_of_all : NULL);
	else
		take_over(limit_of_each, limits,
			  replace ? start_of_each : NULL);
	spin_unlock(&vmctl_limit_lock);
	kfree(spare);
	return ret;
}

/* What the parameters leave open is measured by this machine. */
void __init vmctl_limit_init(void)
{
	u64 memory = (u64)totalram_pages() << PAGE_SHIFT;

	if (!limit_of_all[VMCTL_MEMORY])
		limit_of_all[VMCTL_MEMORY] = 4 * memory;
	if (!limit_of_each[VMCTL_MEMORY])
		limit_of_each[VMCTL_MEMORY] = 2 * memory;
	memcpy(start_of_all, limit_of_all, sizeof(start_of_all));
	memcpy(start_of_each, limit_of_each, sizeof(start_of_each));
}

void vmctl_limit_exit(void)
{
	struct override *override, *next;

	list_for_each_entry_safe(override, next, &overrides, node)
		kfree(override);
}
