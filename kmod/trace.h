/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: /sys/kernel/tracing/events/vmctl.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmctl

#if !defined(VMCTL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VMCTL_TRACE_H

#include <linux/cred.h>
#include <linux/tracepoint.h>

#include "compat.h"
#include "vmctl.h"

DECLARE_EVENT_CLASS(vmctl_vm,
	TP_PROTO(struct vmctl_vm *vm),
	TP_ARGS(vm),
	TP_STRUCT__entry(
		__field(u32, id)
		__field(uid_t, uid)
		__string(name, vm->shown)
	),
	TP_fast_assign(
		__entry->id = vm->id;
		__entry->uid = from_kuid(&init_user_ns, vm->user->uid);
		vmctl_assign_str(name, vm->shown);
	),
	TP_printk("vm=%u uid=%u name=%s", __entry->id, __entry->uid,
		  __get_str(name))
);

DEFINE_EVENT(vmctl_vm, vm_create,
	TP_PROTO(struct vmctl_vm *vm),
	TP_ARGS(vm)
);

DEFINE_EVENT(vmctl_vm, vm_destroy,
	TP_PROTO(struct vmctl_vm *vm),
	TP_ARGS(vm)
);

/* A command that was let through, and its answer; KVM_RUN is event exit. */
TRACE_EVENT(ioctl,
	TP_PROTO(const struct vmctl_call *call, const char *name, long ret),
	TP_ARGS(call, name, ret),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(int, vcpu)
		__field(long, ret)
		__string(name, name)
	),
	TP_fast_assign(
		__entry->vm = call->vm ? call->vm->id : 0;
		__entry->vcpu = call->vcpu ? call->vcpu->id : -1;
		__entry->ret = ret;
		vmctl_assign_str(name, name);
	),
	TP_printk("vm=%u vcpu=%d %s ret=%ld", __entry->vm, __entry->vcpu,
		  __get_str(name), __entry->ret)
);

/* A command that KVM has and that was refused. */
TRACE_EVENT(deny,
	TP_PROTO(const struct vmctl_call *call, const char *name),
	TP_ARGS(call, name),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(int, vcpu)
		__field(uid_t, uid)
		__string(name, name)
	),
	TP_fast_assign(
		__entry->vm = call->vm ? call->vm->id : 0;
		__entry->vcpu = call->vcpu ? call->vcpu->id : -1;
		__entry->uid = from_kuid(&init_user_ns, current_uid());
		vmctl_assign_str(name, name);
	),
	TP_printk("vm=%u vcpu=%d uid=%u %s", __entry->vm, __entry->vcpu,
		  __entry->uid, __get_str(name))
);

/* A command that would have gone over a limit: who, of what, whose limit. */
TRACE_EVENT(limit,
	TP_PROTO(u32 uid, const char *resource, bool total, u64 limit,
		 u64 in_use, u64 amount),
	TP_ARGS(uid, resource, total, limit, in_use, amount),
	TP_STRUCT__entry(
		__field(u32, uid)
		__field(bool, total)
		__field(u64, limit)
		__field(u64, in_use)
		__field(u64, amount)
		__string(resource, resource)
	),
	TP_fast_assign(
		__entry->uid = uid;
		__entry->total = total;
		__entry->limit = limit;
		__entry->in_use = in_use;
		__entry->amount = amount;
		vmctl_assign_str(resource, resource);
	),
	TP_printk("uid=%u resource=%s of=%s limit=%llu used=%llu wanted=%llu",
		  __entry->uid, __get_str(resource),
		  __entry->total ? "all" : "user", __entry->limit,
		  __entry->in_use, __entry->amount)
);

TRACE_EVENT(load,
	TP_PROTO(struct vmctl_vm *vm, const struct vmctl_load_image *load,
		 long ret),
	TP_ARGS(vm, load, ret),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u64, offset)
		__field(u64, length)
		__field(u64, gpa)
		__field(long, ret)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->offset = load->offset;
		__entry->length = load->length;
		__entry->gpa = load->gpa;
		__entry->ret = ret;
	),
	TP_printk("vm=%u offset=%llu length=%llu gpa=%#llx ret=%ld",
		  __entry->vm, __entry->offset, __entry->length, __entry->gpa,
		  __entry->ret)
);

/* KVM_RUN came back; reason as in linux/kvm.h, all ones if it failed. */
TRACE_EVENT(exit,
	TP_PROTO(const struct vmctl_vcpu *vcpu, u32 reason, long ret),
	TP_ARGS(vcpu, reason, ret),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u32, reason)
		__field(long, ret)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->reason = reason;
		__entry->ret = ret;
	),
	TP_printk("vm=%u vcpu=%u reason=%u ret=%ld", __entry->vm,
		  __entry->vcpu, __entry->reason, __entry->ret)
);

#endif /* VMCTL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
