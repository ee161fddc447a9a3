// SPDX-License-Identifier: GPL-2.0
/*
 * Limits as files, one value each, in /sys/class/vmctl/vmctl:
 *
 *   total/    vms, vcpus, memory, nested: of all users together
 *   user/     the same and vm_vcpus: of each user who has no limit of his own
 *   used/     as in total: what all users hold now
 *   refused/  as in user: how often a command met a limit
 *
 * nested are VMs that may run VMs themselves, vm_vcpus the vCPUs of one VM.
 * memory is in bytes and may be written with K, M, G or T behind it; "max" is no
 * limit. What all use and were refused is for root's eyes, who may write limits.
 */
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "limit.h"
#include "vmctl.h"

/**
 * struct limit_file - one file
 * @attribute: its name, mode and functions
 * @scope: VMCTL_SCOPE_*
 * @resource: VMCTL_VMS and so on
 */
struct limit_file {
	struct device_attribute attribute;
	u32 scope;
	unsigned int resource;
};

static const struct limit_file *file_of(const struct device_attribute *attribute)
{
	return container_of(attribute, struct limit_file, attribute);
}

static ssize_t limit_show(struct device *device,
			  struct device_attribute *attribute, char *buf)
{
	const struct limit_file *file = file_of(attribute);
	struct vmctl_limits limits = { };

	vmctl_limit_get(file->scope, INVALID_UID, &limits);
	if (limits.limit[file->resource] == VMCTL_UNLIMITED)
		return sysfs_emit(buf, "max\n");
	return sysfs_emit(buf, "%llu\n", limits.limit[file->resource]);
}

static ssize_t used_show(struct device *device,
			 struct device_attribute *attribute, char *buf)
{
	struct vmctl_limits limits = { };

	vmctl_limit_get(VMCTL_SCOPE_TOTAL, INVALID_UID, &limits);
	return sysfs_emit(buf, "%llu\n",
			  limits.used[file_of(attribute)->resource]);
}

static ssize_t refused_show(struct device *device,
			    struct device_attribute *attribute, char *buf)
{
	struct vmctl_limits limits = { };

	vmctl_limit_get(VMCTL_SCOPE_TOTAL, INVALID_UID, &limits);
	return sysfs_emit(buf, "%llu\n",
			  limits.refused[file_of(attribute)->resource]);
}

/* A number; of bytes with a suffix, too. */
static int parse(const char *text, unsigned int resource, u64 *value)
{
	static const char suffixes[] = "KMGT";
	char number[32];
	const char *suffix;
	unsigned int shift;
	size_t length;
	int ret;

	if (sysfs_streq(text, "max")) {
		*value = VMCTL_UNLIMITED;
		return 0;
	}
	length = strcspn(text, "\n");
	if (!length || length >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, length);
	number[length] = '\0';
	suffix = resource == VMCTL_MEMORY ?
		 strchr(suffixes, number[length - 1]) : NULL;
	if (suffix)
		number[length - 1] = '\0';
	ret = kstrtou64(number, 10, value);
	if (ret || !suffix)
		return ret;
	shift = 10 * (suffix - suffixes + 1);
	if (*value > U64_MAX >> shift)
		return -ERANGE;
	*value <<= shift;
	return 0;
}

static ssize_t limit_store(struct device *device,
			   struct device_attribute *attribute, const char *buf,
			   size_t count)
{
	const struct limit_file *file = file_of(attribute);
	struct vmctl_limits limits = { .set = BIT(file->resource) };
	int ret;

	/* The file's mode alone would let in a container's root. */
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	ret = parse(buf, file->resource, &limits.limit[file->resource]);
	if (ret)
		return ret;
	ret = vmctl_limit_set(file->scope, INVALID_UID, &limits);
	return ret ?: count;
}

#define FILE(folder, name, mode, show, store, scope, resource)		\
	static struct limit_file folder##_##name = {			\
		__ATTR(name, mode, show, store), scope, resource	\
	}

#define LIMIT(folder, name, scope, resource) \
	FILE(folder, name, 0644, limit_show, limit_store, scope, resource)
#define COUNT(folder, name, resource) \
	FILE(folder, name, 0400, folder##_show, NULL, VMCTL_SCOPE_TOTAL, resource)

LIMIT(total, vms, VMCTL_SCOPE_TOTAL, VMCTL_VMS);
LIMIT(total, vcpus, VMCTL_SCOPE_TOTAL, VMCTL_VCPUS);
LIMIT(total, memory, VMCTL_SCOPE_TOTAL, VMCTL_MEMORY);
LIMIT(total, nested, VMCTL_SCOPE_TOTAL, VMCTL_NESTED);
LIMIT(user, vms, VMCTL_SCOPE_DEFAULT, VMCTL_VMS);
LIMIT(user, vcpus, VMCTL_SCOPE_DEFAULT, VMCTL_VCPUS);
LIMIT(user, memory, VMCTL_SCOPE_DEFAULT, VMCTL_MEMORY);
LIMIT(user, vm_vcpus, VMCTL_SCOPE_DEFAULT, VMCTL_VM_VCPUS);
LIMIT(user, nested, VMCTL_SCOPE_DEFAULT, VMCTL_NESTED);
COUNT(used, vms, VMCTL_VMS);
COUNT(used, vcpus, VMCTL_VCPUS);
COUNT(used, memory, VMCTL_MEMORY);
COUNT(used, nested, VMCTL_NESTED);
COUNT(refused, vms, VMCTL_VMS);
COUNT(refused, vcpus, VMCTL_VCPUS);
COUNT(refused, memory, VMCTL_MEMORY);
COUNT(refused, vm_vcpus, VMCTL_VM_VCPUS);
COUNT(refused, nested, VMCTL_NESTED);

#define LIMIT_FOLDER(folder, ...)						\
	static struct attribute *folder##_files[] = { __VA_ARGS__, NULL };\
	static const struct attribute_group folder##_folder = {		\
		.name = #folder,					\
		.attrs = folder##_files,				\
	}

#define IN(folder, name)	(&folder##_##name.attribute.attr)

LIMIT_FOLDER(total, IN(total, vms), IN(total, vcpus), IN(total, memory),
	     IN(total, nested));
LIMIT_FOLDER(user, IN(user, vms), IN(user, vcpus), IN(user, memory),
	     IN(user, vm_vcpus), IN(user, nested));
LIMIT_FOLDER(used, IN(used, vms), IN(used, vcpus), IN(used, memory),
	     IN(used, nested));
LIMIT_FOLDER(refused, IN(refused, vms), IN(refused, vcpus), IN(refused, memory),
	     IN(refused, vm_vcpus), IN(refused, nested));

const struct attribute_group *vmctl_limit_groups[] = {
	&total_folder, &user_folder, &used_folder, &refused_folder, NULL
};
