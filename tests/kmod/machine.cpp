// SPDX-License-Identifier: GPL-2.0-only
#include "machine.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>

namespace t {

const std::string& device() {
  static const std::string path = [] {
    const char* set = std::getenv("VMCTL_TEST_DEVICE");
    return std::string(set != nullptr ? set : "/dev/vmctl");
  }();
  return path;
}

bool device_is_vmctl() {
  return device().find("vmctl") != std::string::npos;
}

Fd open_device(const std::string& path) {
  return Fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

namespace guest {
Bytes add() {
  return {0xba, 0xf8, 0x03,  // mov dx, 0x3f8
          0x00, 0xd8,        // add al, bl
          0x04, '0',         // add al, '0'
          0xee,              // out dx, al
          0xb0, '\n',        // mov al, '\n'
          0xee,              // out dx, al
          0xf4};             // hlt
}
Bytes outs(std::uint16_t n) {
  return {0xba,
          0xf8,
          0x03,  // mov dx, 0x3f8
          0xb9,
          static_cast<std::uint8_t>(n),
          static_cast<std::uint8_t>(n >> 8),  // mov cx, n
          0xee,                               // out dx, al
          0xe2,
          0xfd,   // loop -3
          0xf4};  // hlt
}
Bytes outs_forever() {
  return {0xba, 0xf8, 0x03, 0xee, 0xeb, 0xfd};
}
Bytes loop() {
  return {0xeb, 0xfe};
}
Bytes halt() {
  return {0xf4};
}
Bytes triple_fault() {
  return {0x0f, 0x01, 0x1e, 0x00, 0x20,  // lidt [0x2000]: limit 0
          0xcc};                         // int3
}
Bytes store_byte(std::uint16_t at, std::uint8_t value) {
  return {0xc6,  0x06, static_cast<std::uint8_t>(at), static_cast<std::uint8_t>(at >> 8),
          value, 0xf4};
}
}  // namespace guest

Vcpu::Vcpu(int vm, unsigned id) : fd(ctl(vm, KVM_CREATE_VCPU, id)) {
  if (fd.valid()) {
    page = Mapping(3 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd);
  }
}

Vcpu Vcpu::adopt(Fd fd) {
  Vcpu cpu;
  cpu.fd = std::move(fd);
  cpu.page = Mapping(3 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, cpu.fd);
  return cpu;
}

Ret Vcpu::reset(std::uint16_t entry) const {
  kvm_sregs sregs{};
  if (const Ret r = ctl(fd, KVM_GET_SREGS, &sregs); !r.ok()) return r;
  for (kvm_segment* segment : {&sregs.cs, &sregs.ds, &sregs.es, &sregs.fs, &sregs.gs, &sregs.ss}) {
    segment->base = 0;
    segment->selector = 0;
  }
  if (const Ret r = ctl(fd, KVM_SET_SREGS, &sregs); !r.ok()) return r;
  kvm_regs regs{};
  regs.rip = entry;
  regs.rax = 2;
  regs.rbx = 2;
  regs.rsp = 0x8000;
  regs.rflags = 2;
  return ctl(fd, KVM_SET_REGS, &regs);
}

Machine::Machine(const Bytes& code, const std::string& path) : system(open_device(path)) {
  vm = Fd(ctl(system, KVM_CREATE_VM));
  build(code);
}

Machine::Machine(Fd system_fd, Fd vm_fd, const Bytes& code)
    : system(std::move(system_fd)), vm(std::move(vm_fd)) {
  build(code);
}

void Machine::build(const Bytes& code) {
  memory = Mapping::memory(kMemory);
  std::copy(code.begin(), code.end(), memory.data() + kEntry);
  built = vm.valid() ? Ret(0) : Ret(-EBADF);
  if (built.ok()) built = set_slot(vm, 0, 0, kMemory, memory.address());
  if (built.ok()) {
    cpu = Vcpu(vm);
    built = cpu.page.valid() ? cpu.reset() : Ret(-ENXIO);
  }
}

Ret Machine::run(std::string* out) const {
  for (;;) {
    const Ret r = cpu.enter();
    if (!r.ok() || cpu.run().exit_reason != KVM_EXIT_IO) return r;
    if (out != nullptr) *out += static_cast<char>(cpu.port_byte());
  }
}

Ret set_slot(int vm, unsigned slot, std::uint64_t gpa, std::uint64_t size, std::uint64_t address,
             unsigned flags) {
  const kvm_userspace_memory_region region{.slot = slot,
                                           .flags = flags,
                                           .guest_phys_addr = gpa,
                                           .memory_size = size,
                                           .userspace_addr = address};
  return ctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

}  // namespace t
