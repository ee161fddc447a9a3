/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events: what happened, for whoever follows it and for the kernel's audit.
 * event.c
 */
#ifndef VMCTL_EVENT_H
#define VMCTL_EVENT_H

#include <linux/types.h>

struct vmctl_bill;
struct vmctl_call;
struct vmctl_client;
struct vmctl_event;
struct vmctl_user;
struct vmctl_vm;

int vmctl_event_init(void);
void vmctl_event_exit(void);

void vmctl_event_vm(struct vmctl_vm *vm, u32 kind);
void vmctl_event_refused(const struct vmctl_call *call, const char *name);
void vmctl_event_limit(const struct vmctl_bill *bill,
		       const struct vmctl_event *what);

u64 vmctl_event_newest(void);
bool vmctl_event_waits(struct vmctl_client *client);
int vmctl_event_next(struct vmctl_client *client, struct vmctl_event *event);

#endif /* VMCTL_EVENT_H */
