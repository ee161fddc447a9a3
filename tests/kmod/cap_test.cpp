// SPDX-License-Identifier: GPL-2.0-only
//
// KVM_ENABLE_CAP: what may be switched on, and that refusing is counted.

#include "limits.hpp"

namespace {

using namespace t;

class Cap : public Own {
 protected:
  static Ret enable(int fd, std::uint32_t cap, std::uint64_t argument = 0) {
    kvm_enable_cap enabled{};
    enabled.cap = cap;
    enabled.args[0] = argument;
    return ctl(fd, KVM_ENABLE_CAP, &enabled);
  }
  static std::uint64_t refusals() {
    const Fd system = open_device();
    vmctl_command command{};
    for (command.index = 0; ctl(system, VMCTL_GET_COMMAND, &command).ok(); ++command.index)
      if (std::string(command.name) == "KVM_ENABLE_CAP") return command.refusals;
    ADD_FAILURE() << "not in the table";
    return 0;
  }
};

TEST_F(Cap, OfTheOwnVmIsEnabled) {
  const Machine machine(guest::add());
  const Fd empty(create_vm(open_device(), "empty"));
  EXPECT_EQ(enable(empty, KVM_CAP_MAX_VCPU_ID, 4), 0);
  EXPECT_EQ(enable(machine.vm, KVM_CAP_X86_USER_SPACE_MSR, KVM_MSR_EXIT_REASON_FILTER), 0);
  EXPECT_EQ(enable(machine.vm, KVM_CAP_EXCEPTION_PAYLOAD, 1), 0);
  EXPECT_EQ(machine.run(), 0);
}

TEST_F(Cap, ThatTakesOthersFdsIsRefused) {
  const Machine machine(guest::add());
  const std::uint64_t before = refusals();
  std::uint64_t refused = 0;
  for (const std::uint32_t cap : {KVM_CAP_VM_COPY_ENC_CONTEXT_FROM,
                                  KVM_CAP_VM_MOVE_ENC_CONTEXT_FROM, KVM_CAP_SGX_ATTRIBUTE}) {
    SCOPED_TRACE(cap);
    const bool known = ctl(open_device("/dev/kvm"), KVM_CHECK_EXTENSION, cap).value > 0;
    EXPECT_EQ(ctl(machine.vm, KVM_CHECK_EXTENSION, cap), 0);
    EXPECT_EQ(enable(machine.vm, cap, static_cast<std::uint64_t>(machine.vm)),
              known ? -EPERM : -EINVAL);
    refused += known ? 1 : 0;
  }
  EXPECT_EQ(refusals(), before + refused);
}

TEST_F(Cap, ThatNobodyKnowsIsInvalid) {
  const Machine machine(guest::add());
  EXPECT_EQ(enable(machine.vm, 0x7fffffff), -EINVAL);
  EXPECT_EQ(enable(machine.cpu.fd, 0x7fffffff), -EINVAL);
  EXPECT_EQ(ctl(machine.vm, KVM_ENABLE_CAP, 8UL), -EFAULT);
}

}  // namespace
