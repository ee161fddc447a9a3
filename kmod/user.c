// SPDX-License-Identifier: GPL-2.0
/*
 * Users: one object per kuid that has VMs or open clients.
 */
#include <linux/cred.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "event.h"
#include "vmctl.h"

/* Whoever has subordinate ids can be many. */
static DEFINE_HASHTABLE(users, 10);

/* Protects them; inside of all other locks, as anything may let go of a user. */
static DEFINE_MUTEX(users_lock);

/* A reference. */
static struct vmctl_user *find(kuid_t uid)
{
	struct vmctl_user *user;

	lockdep_assert_held(&users_lock);

	hash_for_each_possible(users, user, node, __kuid_val(uid)) {
		if (uid_eq(user->uid, uid)) {
			kref_get(&user->refs);
			return user;
		}
	}
	return NULL;
}

/* A reference, or NULL if nobody of that name has anything here. */
struct vmctl_user *vmctl_user_find(kuid_t uid)
{
	guard(mutex)(&users_lock);

	return find(uid);
}

/**
 * vmctl_account - who is charged for what the caller is about to hold
 *
 * Whoever may make a user namespace may be many users in it, by subordinate ids
 * (subuid(5)). They all are charged to him who made it, the outermost of
 * several; but for namespaces that root made, whose users are users of their
 * own.
 */
kuid_t vmctl_account(void)
{
	const struct user_namespace *ns;
	kuid_t account = current_uid();

	for (ns = current_user_ns(); ns != &init_user_ns; ns = ns->parent)
		if (!uid_eq(ns->owner, GLOBAL_ROOT_UID))
			account = ns->owner;
	return account;
}

/**
 * vmctl_user_get - the object of a user, made if it is not there
 * @uid: who
 *
 * Return: a reference for vmctl_user_put(), or ERR_PTR(-ENOMEM).
 */
struct vmctl_user *vmctl_user_get(kuid_t uid)
{
	struct vmctl_user *user = vmctl_user_find(uid);
	struct vmctl_user *fresh;

	if (user)
		return user;
	/* Not under the lock, which all others need. */
	fresh = kzalloc(sizeof(*fresh), GFP_KERNEL_ACCOUNT);
	if (!fresh)
		return ERR_PTR(-ENOMEM);
	kref_init(&fresh->refs);
	fresh->uid = uid;
	fresh->account = vmctl_account();
	init_waitqueue_head(&fresh->wait);

	mutex_lock(&users_lock);
	user = find(uid);
	if (!user) {
		fresh->last_event = vmctl_event_newest();
		hash_add(users, &fresh->node, __kuid_val(uid));
		swap(user, fresh);
	}
	mutex_unlock(&users_lock);
	kfree(fresh);
	return user;
}

void vmctl_user_hold(struct vmctl_user *user)
{
	kref_get(&user->refs);
}

static void user_free(struct kref *refs)
{
	struct vmctl_user *user = container_of(refs, struct vmctl_user, refs);

	hash_del(&user->node);
	mutex_unlock(&users_lock);
	kfree(user);
}

/* Takes users_lock for the last reference only. */
void vmctl_user_put(struct vmctl_user *user)
{
	kref_put_mutex(&user->refs, user_free, &users_lock);
}
