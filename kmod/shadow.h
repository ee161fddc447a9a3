/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadows of run pages. shadow.c
 */
#ifndef VMCTL_SHADOW_H
#define VMCTL_SHADOW_H

struct kvm_run;
struct page;
struct vmctl_bill;
struct vmctl_vcpu;

int vmctl_shadow_make(struct vmctl_vcpu *vcpu, const struct vmctl_bill *bill);
void vmctl_shadow_free(struct vmctl_vcpu *vcpu);
struct page *vmctl_shadow_page(const struct vmctl_vcpu *vcpu);
long vmctl_shadow_run(struct vmctl_vcpu *vcpu, unsigned long arg);

#endif /* VMCTL_SHADOW_H */
