// SPDX-License-Identifier: GPL-2.0-only
//
// The smallest machine that runs a guest: one memory slot at 0, one vCPU in
// real mode that starts at 0x1000.
#pragma once

#include <string>

#include "kvm.hpp"
#include "sys.hpp"

namespace t {

// The device under test: /dev/vmctl, or what VMCTL_TEST_DEVICE names.
const std::string& device();
bool device_is_vmctl();

Fd open_device(const std::string& path = device());

namespace guest {
constexpr std::uint16_t kPort = 0x3f8;
Bytes add();                  // al = '0' + al + bl to the port, newline, hlt
Bytes outs(std::uint16_t n);  // n times out to the port, hlt
Bytes outs_forever();
Bytes loop();                                            // jmp $
Bytes halt();                                            // hlt
Bytes triple_fault();                                    // int3 with an empty interrupt table
Bytes store_byte(std::uint16_t at, std::uint8_t value);  // to ds:at, then hlt
}  // namespace guest

class Vcpu {
 public:
  Vcpu() = default;
  // Fails to an invalid fd.
  explicit Vcpu(int vm, unsigned id = 0);
  // Takes a vCPU fd that is there already.
  static Vcpu adopt(Fd fd);

  Fd fd;
  Mapping page;

  [[nodiscard]] kvm_run& run() const { return *reinterpret_cast<kvm_run*>(page.data()); }
  [[nodiscard]] Ret enter() const { return ctl(fd, KVM_RUN); }
  // Real mode from `entry`, all segments at 0. Returns the first error.
  [[nodiscard]] Ret reset(std::uint16_t entry = 0x1000) const;
  // The byte of the port access that the run page holds.
  [[nodiscard]] std::uint8_t port_byte() const { return page.data()[run().io.data_offset]; }
};

class Machine {
 public:
  static constexpr std::uint64_t kEntry = 0x1000;
  static constexpr std::size_t kMemory = 0x10000;

  explicit Machine(const Bytes& code, const std::string& path = device());
  Machine(Fd system_fd, Fd vm_fd, const Bytes& code);

  Fd system;
  Fd vm;
  Mapping memory;
  Vcpu cpu;
  // What was created up to here works.
  Ret built = 0;

  // Runs to the first exit that is not a port access; what the guest wrote to the port.
  Ret run(std::string* out = nullptr) const;

 private:
  void build(const Bytes& code);
};

Ret set_slot(int vm, unsigned slot, std::uint64_t gpa, std::uint64_t size, std::uint64_t address,
             unsigned flags = 0);

}  // namespace t
