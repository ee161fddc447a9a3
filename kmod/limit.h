/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Limits: limit.c; as files: limit_sysfs.c; what is charged against them: bill.c.
 */
#ifndef VMCTL_LIMIT_H
#define VMCTL_LIMIT_H

#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/uidgid.h>

#include <uapi/linux/vmctl.h>

struct attribute_group;
struct vmctl_user;

/**
 * struct vmctl_bill - what one VM is charged for
 * @refs: the receipts of the VM's port and of those of its vCPUs
 * @user: whose the VM is; held
 * @payer: who is charged for it; held
 * @amount: by resource, under vmctl_limit_lock
 */
struct vmctl_bill {
	refcount_t refs;
	struct vmctl_user *user;
	struct vmctl_user *payer;
	u64 amount[VMCTL_RESOURCES];
};

/**
 * struct vmctl_totals - what all bills sum up to, under vmctl_limit_lock
 * @used: by resource
 * @refused: how often a limit was met
 */
struct vmctl_totals {
	u64 used[VMCTL_RESOURCES];
	u64 refused[VMCTL_RESOURCES];
};

extern struct vmctl_totals vmctl_totals;
extern spinlock_t vmctl_limit_lock;

void vmctl_bill_init(void);
struct vmctl_bill *vmctl_bill_open(struct vmctl_user *user);
int vmctl_bill_charge(struct vmctl_bill *bill, unsigned int resource,
		      u64 amount);
void vmctl_bill_refund(struct vmctl_bill *bill, unsigned int resource,
		       u64 amount);
struct vmctl_bill *vmctl_bill_get(struct vmctl_bill *bill);
void vmctl_bill_put(struct vmctl_bill *bill);

void vmctl_limit_init(void);
void vmctl_limit_exit(void);
void vmctl_limit_get(u32 scope, kuid_t uid, struct vmctl_limits *limits);
u64 vmctl_limit_of(kuid_t uid, unsigned int resource);
u64 vmctl_limit_of_user(kuid_t uid, unsigned int resource);
u64 vmctl_limit_of_all(unsigned int resource);
u64 vmctl_limit_left(kuid_t uid, unsigned int resource);
bool vmctl_limit_next(kuid_t *uid);
void vmctl_limit_use(kuid_t uid, struct vmctl_limits *limits);
int vmctl_limit_set(u32 scope, kuid_t uid, const struct vmctl_limits *limits);
const char *vmctl_resource_name(unsigned int resource);

extern const struct attribute_group *vmctl_limit_groups[];

#endif /* VMCTL_LIMIT_H */
