// SPDX-License-Identifier: GPL-2.0
/*
 * The table of commands. A command that is not here does not exist: ENOTTY.
 */
#include <linux/atomic.h>
#include <linux/kvm.h>
#include <linux/nospec.h>

#include "cap.h"
#include "compat.h"
#include "nested.h"
#include "table.h"
#include "vmctl.h"
#include "xen.h"

static const char asks[] = "asks what KVM can";
static const char in_vm[] = "reaches the caller's own VM alone";
static const char in_vcpu[] = "reaches the caller's own vCPU alone";
static const char gone[] __maybe_unused = "KVM has it no more, and says so";
static const char raw_fd[] = "would give an fd of KVM's own";
static const char firmware[] = "reaches the processor's firmware, with fds of other VMs";

/* Its structure is there no more: four bytes twice, eight three times. */
#define SET_MEMORY_ALIAS	_IOC(_IOC_WRITE, KVMIO, 0x43, 32)

#define ALLOW(c, o, w) \
	{ .cmd = c, .on = o, .verdict = VMCTL_ALLOWED, .name = #c, .why = w, \
	  .handler = vmctl_pass }
#define CHECK(c, o, v, h, w) \
	{ .cmd = c, .on = o, .verdict = v, .name = #c, .why = w, .handler = h }
#define CHECK_MEMORY(c) \
	{ .cmd = c, .on = VMCTL_ON_VM, .flags = VMCTL_ROW_CHANGES, \
	  .verdict = VMCTL_CHECKED, .name = #c, .handler = vmctl_set_memory, \
	  .why = "charged to the owner; no overlaps, no device memory" }
#define CHECK_NESTED(c, h) \
	{ .cmd = c, .on = VMCTL_ON_VCPU, .verdict = VMCTL_CHECKED, .name = #c, \
	  .handler = h, .why = "charged to the owner if guests may run VMs then" }
#define CHECK_XEN(c, o) \
	{ .cmd = c, .on = o, .verdict = VMCTL_CHECKED, .name = #c, \
	  .handler = vmctl_xen_set_attr, \
	  .why = "by guest addresses alone, which slots stand for" }
#define REFUSE(c, o, w) \
	{ .cmd = c, .on = o, .verdict = VMCTL_REFUSED, .name = #c, .why = w }
#define OWN(c, o, f, h, s) \
	{ .cmd = c, .on = o, .flags = f, .verdict = VMCTL_OWN, .name = #c, \
	  .why = "vmctl's own", .own = h, .smallest = s }

static const struct vmctl_row rows[] = {
	/* These make fds of KVM's. */
	CHECK(KVM_CREATE_VM, VMCTL_ON_SYSTEM, VMCTL_EMULATED, vmctl_create_vm,
	      "charged to the caller; gives a VM fd of this door"),
	CHECK(KVM_CREATE_VCPU, VMCTL_ON_VM, VMCTL_EMULATED, vmctl_vcpu_create,
	      "charged to the owner; gives a vCPU fd of this door"),
	REFUSE(KVM_CREATE_DEVICE, VMCTL_ON_VM, raw_fd),
	REFUSE(KVM_GET_STATS_FD, VMCTL_ON_VM | VMCTL_ON_VCPU, raw_fd),
#ifdef KVM_CREATE_GUEST_MEMFD
	REFUSE(KVM_CREATE_GUEST_MEMFD, VMCTL_ON_VM, raw_fd),
	REFUSE(KVM_SET_MEMORY_ATTRIBUTES, VMCTL_ON_VM,
	       "means nothing without KVM_CREATE_GUEST_MEMFD"),
#endif
	REFUSE(KVM_MEMORY_ENCRYPT_OP, VMCTL_ON_VM | VMCTL_ON_VCPU, firmware),
	REFUSE(KVM_MEMORY_ENCRYPT_REG_REGION, VMCTL_ON_VM, firmware),
	REFUSE(KVM_MEMORY_ENCRYPT_UNREG_REGION, VMCTL_ON_VM, firmware),

	/* What KVM is and can. */
	ALLOW(KVM_GET_API_VERSION, VMCTL_ON_SYSTEM, asks),
	CHECK(KVM_CHECK_EXTENSION, VMCTL_ON_SYSTEM | VMCTL_ON_VM, VMCTL_CHECKED,
	      vmctl_cap_check, "what is refused here is not there"),
	ALLOW(KVM_GET_VCPU_MMAP_SIZE, VMCTL_ON_SYSTEM, asks),
	ALLOW(KVM_GET_MSR_INDEX_LIST, VMCTL_ON_SYSTEM, asks),
	ALLOW(KVM_GET_MSR_FEATURE_INDEX_LIST, VMCTL_ON_SYSTEM, asks),
	CHECK(KVM_GET_SUPPORTED_CPUID, VMCTL_ON_SYSTEM, VMCTL_CHECKED,
	      vmctl_nested_supported, "without VMX and SVM where the limit of nested is 0"),
	ALLOW(KVM_GET_EMULATED_CPUID, VMCTL_ON_SYSTEM, asks),
	ALLOW(KVM_GET_SUPPORTED_HV_CPUID, VMCTL_ON_SYSTEM | VMCTL_ON_VCPU, asks),
	ALLOW(KVM_X86_GET_MCE_CAP_SUPPORTED, VMCTL_ON_SYSTEM, asks),
	ALLOW(KVM_GET_DEVICE_ATTR, VMCTL_ON_SYSTEM | VMCTL_ON_VCPU, asks),
	ALLOW(KVM_HAS_DEVICE_ATTR, VMCTL_ON_SYSTEM | VMCTL_ON_VCPU, asks),
	ALLOW(KVM_SET_DEVICE_ATTR, VMCTL_ON_VCPU, asks),
	CHECK(KVM_ENABLE_CAP, VMCTL_ON_VM | VMCTL_ON_VCPU, VMCTL_CHECKED,
	      vmctl_cap_enable, "what reaches the caller's own VM alone"),

	/* Memory. */
	CHECK_MEMORY(KVM_SET_USER_MEMORY_REGION),
#ifdef KVM_SET_USER_MEMORY_REGION2
	CHECK_MEMORY(KVM_SET_USER_MEMORY_REGION2),
#endif
#ifdef KVM_PRE_FAULT_MEMORY
	ALLOW(KVM_PRE_FAULT_MEMORY, VMCTL_ON_VCPU, in_vm),
#endif
#ifdef KVM_SET_MEMORY_REGION
	ALLOW(KVM_SET_MEMORY_REGION, VMCTL_ON_VM, gone),
	{ .cmd = SET_MEMORY_ALIAS, .on = VMCTL_ON_VM, .verdict = VMCTL_ALLOWED,
	  .name = "KVM_SET_MEMORY_ALIAS", .why = gone, .handler = vmctl_pass },
#endif
	ALLOW(KVM_GET_DIRTY_LOG, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_CLEAR_DIRTY_LOG, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_RESET_DIRTY_RINGS, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_NR_MMU_PAGES, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_GET_NR_MMU_PAGES, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_TSS_ADDR, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_IDENTITY_MAP_ADDR, VMCTL_ON_VM, in_vm),

	/* Interrupts, timers and clocks. */
	ALLOW(KVM_CREATE_IRQCHIP, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_GET_IRQCHIP, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_IRQCHIP, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_IRQ_LINE, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_IRQ_LINE_STATUS, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_GSI_ROUTING, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SIGNAL_MSI, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_IRQFD, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_IOEVENTFD, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_REGISTER_COALESCED_MMIO, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_UNREGISTER_COALESCED_MMIO, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_CREATE_PIT, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_CREATE_PIT2, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_GET_PIT, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_PIT, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_GET_PIT2, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_PIT2, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_REINJECT_CONTROL, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_GET_CLOCK, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_CLOCK, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_GET_TSC_KHZ, VMCTL_ON_VM | VMCTL_ON_VCPU, in_vm),
	ALLOW(KVM_SET_TSC_KHZ, VMCTL_ON_VM | VMCTL_ON_VCPU, in_vm),
	ALLOW(KVM_KVMCLOCK_CTRL, VMCTL_ON_VCPU, in_vm),

	/* The machine as a whole. */
	ALLOW(KVM_SET_BOOT_CPU_ID, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_X86_SET_MSR_FILTER, VMCTL_ON_VM, in_vm),
	ALLOW(VMCTL_KVM_X86_SET_MSR_FILTER_COMPAT, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_SET_PMU_EVENT_FILTER, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_XEN_HVM_CONFIG, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_XEN_HVM_GET_ATTR, VMCTL_ON_VM, in_vm),
	CHECK_XEN(KVM_XEN_HVM_SET_ATTR, VMCTL_ON_VM),
	ALLOW(KVM_XEN_HVM_EVTCHN_SEND, VMCTL_ON_VM, in_vm),
	ALLOW(KVM_HYPERV_EVENTFD, VMCTL_ON_VM, in_vm),

	/* A vCPU and its registers. KVM_RUN does not come this way: vcpu.c. */
	ALLOW(KVM_RUN, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_REGS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_REGS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_SREGS, VMCTL_ON_VCPU, in_vcpu),
	CHECK_NESTED(KVM_SET_SREGS, vmctl_nested_sregs),
	ALLOW(KVM_GET_SREGS2, VMCTL_ON_VCPU, in_vcpu),
	CHECK_NESTED(KVM_SET_SREGS2, vmctl_nested_sregs),
	ALLOW(KVM_GET_FPU, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_FPU, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_XSAVE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_XSAVE2, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_XSAVE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_XCRS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_XCRS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_DEBUGREGS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_DEBUGREGS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_MSRS, VMCTL_ON_SYSTEM | VMCTL_ON_VCPU, in_vcpu),
	CHECK_NESTED(KVM_SET_MSRS, vmctl_nested_msrs),
	ALLOW(KVM_GET_ONE_REG, VMCTL_ON_VCPU, in_vcpu),
	CHECK_NESTED(KVM_SET_ONE_REG, vmctl_nested_one_reg),
	ALLOW(KVM_GET_REG_LIST, VMCTL_ON_VCPU, in_vcpu),
	CHECK_NESTED(KVM_SET_CPUID, vmctl_nested_cpuid),
	CHECK_NESTED(KVM_SET_CPUID2, vmctl_nested_cpuid),
	ALLOW(KVM_GET_CPUID2, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_LAPIC, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_LAPIC, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_MP_STATE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_MP_STATE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_VCPU_EVENTS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_VCPU_EVENTS, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_GET_NESTED_STATE, VMCTL_ON_VCPU, in_vcpu),
	CHECK_NESTED(KVM_SET_NESTED_STATE, vmctl_nested_state),
	ALLOW(KVM_XEN_VCPU_GET_ATTR, VMCTL_ON_VCPU, in_vcpu),
	CHECK_XEN(KVM_XEN_VCPU_SET_ATTR, VMCTL_ON_VCPU),
	ALLOW(KVM_INTERRUPT, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_NMI, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SMI, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_X86_SETUP_MCE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_X86_SET_MCE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_SIGNAL_MASK, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_GUEST_DEBUG, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_TRANSLATE, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_TPR_ACCESS_REPORTING, VMCTL_ON_VCPU, in_vcpu),
	ALLOW(KVM_SET_VAPIC_ADDR, VMCTL_ON_VCPU, in_vcpu),

	OWN(VMCTL_GET_INFO, VMCTL_ON_SYSTEM, 0, vmctl_own_get_info, 56),
	OWN(VMCTL_CREATE_VM, VMCTL_ON_SYSTEM, 0, vmctl_own_create_vm, 80),
	OWN(VMCTL_LOAD_IMAGE, VMCTL_ON_VM, 0, vmctl_own_load_image, 64),
	OWN(VMCTL_GET_STATS, VMCTL_ON_SYSTEM | VMCTL_ON_VM | VMCTL_ON_VCPU,
	    VMCTL_ROW_ALWAYS, vmctl_own_get_stats, 552),
	OWN(VMCTL_REVOKE_VM, VMCTL_ON_SYSTEM, 0, vmctl_own_revoke_vm, 8),
	OWN(VMCTL_GET_LIMITS, VMCTL_ON_SYSTEM, 0, vmctl_own_get_limits, 136),
	OWN(VMCTL_SET_LIMITS, VMCTL_ON_SYSTEM, 0, vmctl_own_set_limits, 136),
	OWN(VMCTL_GET_COMMAND, VMCTL_ON_SYSTEM, 0, vmctl_own_get_command, 160),
	OWN(VMCTL_GET_EVENT, VMCTL_ON_SYSTEM, 0, vmctl_own_get_event, 144),
};

/* By type and number: the first row, plus 1, and for each row the next one. */
#define BUCKETS		256

static u8 first[BUCKETS];
static u8 next[ARRAY_SIZE(rows)];

/* How often each was refused, since the module was loaded. */
static atomic64_t refusals[ARRAY_SIZE(rows)];

static unsigned int bucket(unsigned int cmd)
{
	return (_IOC_NR(cmd) ^ _IOC_TYPE(cmd)) % BUCKETS;
}

/* Own commands may come with another size: that is how they grow. */
static bool is_cmd(const struct vmctl_row *row, unsigned int cmd)
{
	if (row->own)
		return !((row->cmd ^ cmd) & ~(_IOC_SIZEMASK << _IOC_SIZESHIFT));
	return row->cmd == cmd;
}

const struct vmctl_row *vmctl_table_find(unsigned int cmd)
{
	for (u8 i = first[bucket(cmd)]; i; i = next[i - 1])
		if (is_cmd(&rows[i - 1], cmd))
			return &rows[i - 1];
	return NULL;
}

/* By its place, for whoever wants to see all; NULL behind the last. */
const struct vmctl_row *vmctl_table_at(unsigned int index)
{
	return index < ARRAY_SIZE(rows) ?
		&rows[array_index_nospec(index, ARRAY_SIZE(rows))] : NULL;
}

void vmctl_table_refused(const struct vmctl_row *row)
{
	atomic64_inc(&refusals[row - rows]);
}

u64 vmctl_table_refusals(const struct vmctl_row *row)
{
	return atomic64_read(&refusals[row - rows]);
}

void __init vmctl_table_init(void)
{
	u8 *head;

	BUILD_BUG_ON(ARRAY_SIZE(rows) >= U8_MAX);
	for (int i = 0; i < ARRAY_SIZE(rows); i++) {
		head = &first[bucket(rows[i].cmd)];
		next[i] = *head;
		*head = i + 1;
	}
}
