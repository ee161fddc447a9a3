// SPDX-License-Identifier: GPL-2.0
/*
 * Users: one object per kuid that has VMs or open clients.
 */
#include <linux/slab.h>

#include "vmctl.h"

static LIST_HEAD(vmctl_users);

static struct vmctl_user *find(kuid_t uid)
{
	struct vmctl_user *user;

	lockdep_assert_held(&vmctl_lock);

	list_for_each_entry(user, &vmctl_users, node)
		if (uid_eq(user->uid, uid))
			return user;
	return NULL;
}

/**
 * vmctl_user_get - the object of a user, made if it is not there
 * @uid: who
 *
 * Return: a reference for vmctl_user_put(), or ERR_PTR(-ENOMEM).
 */
struct vmctl_user *vmctl_user_get(kuid_t uid)
{
	struct vmctl_user *user;

	guard(mutex)(&vmctl_lock);

	user = find(uid);
	if (!user) {
		user = kzalloc(sizeof(*user), GFP_KERNEL_ACCOUNT);
		if (!user)
			return ERR_PTR(-ENOMEM);
		user->uid = uid;
		init_waitqueue_head(&user->wait);
		list_add(&user->node, &vmctl_users);
	}
	user->refs++;
	return user;
}

void vmctl_user_put(struct vmctl_user *user)
{
	guard(mutex)(&vmctl_lock);

	if (--user->refs)
		return;
	list_del(&user->node);
	kfree(user);
}
