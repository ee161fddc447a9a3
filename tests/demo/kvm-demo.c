// SPDX-License-Identifier: GPL-2.0-only
/*
 * kvm-demo [NODE]
 *
 * A program of KVM's interface at its smallest, as introductions to it have them: it
 * knows /dev/kvm and linux/kvm.h, and nothing of vmctl. A guest in real mode adds 2
 * and 2 and writes the digit and a newline to port 0x3f8.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MEMORY 0x1000
#define START 0x1000

static const uint8_t code[] = {
    0xba, 0xf8, 0x03, /* mov dx, 0x3f8 */
    0x00, 0xd8,       /* add al, bl */
    0x04, '0',        /* add al, '0' */
    0xee,             /* out dx, al */
    0xb0, '\n',       /* mov al, '\n' */
    0xee,             /* out dx, al */
    0xf4,             /* hlt */
};

static int must(int result, const char* what) {
  if (result < 0) err(1, "%s", what);
  return result;
}

static void* map(size_t size, int flags, int fd) {
  void* address = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

  if (address == MAP_FAILED) err(1, "mmap");
  return address;
}

static void set_registers(int vcpu) {
  struct kvm_regs regs = {.rip = START, .rax = 2, .rbx = 2, .rflags = 2};
  struct kvm_sregs sregs;

  must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
  sregs.cs.base = 0;
  sregs.cs.selector = 0;
  must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
  must(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

int main(int argc, char** argv) {
  const char* node = argc > 1 ? argv[1] : "/dev/kvm";
  int kvm = must(open(node, O_RDWR | O_CLOEXEC), node);
  struct kvm_run* run;
  int vm, vcpu;
  void* memory;

  if (ioctl(kvm, KVM_GET_API_VERSION, NULL) != KVM_API_VERSION)
    errx(1, "%s: not KVM's interface", node);
  vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
  memory = map(MEMORY, MAP_SHARED | MAP_ANONYMOUS, -1);
  memcpy(memory, code, sizeof(code));
  struct kvm_userspace_memory_region region = {
      .guest_phys_addr = START,
      .memory_size = MEMORY,
      .userspace_addr = (uintptr_t)memory,
  };
  must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
  vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
  run = map(must(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, NULL), "KVM_GET_VCPU_MMAP_SIZE"), MAP_SHARED,
            vcpu);
  set_registers(vcpu);
  for (;;) {
    must(ioctl(vcpu, KVM_RUN, NULL), "KVM_RUN");
    if (run->exit_reason == KVM_EXIT_HLT) return 0;
    if (run->exit_reason != KVM_EXIT_IO || run->io.port != 0x3f8)
      errx(1, "exit reason %u", run->exit_reason);
    putchar(*((char*)run + run->io.data_offset));
  }
}
