// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's audit: what is created, revoked and refused stands in it, where it is on. Without a
// daemon the records go to the kernel's log.
#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cstring>

#include "kmsg.hpp"
#include "limits.hpp"

namespace {

using namespace t;

// AUDIT_SET (linux/audit.h); -EPROTONOSUPPORT where the kernel has no audit.
Ret switch_audit(bool on) {
  const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));
  if (!socket.valid()) return -EPROTONOSUPPORT;
  struct {
    nlmsghdr head;
    audit_status status;
  } request{};
  request.head.nlmsg_len = sizeof request;
  request.head.nlmsg_type = AUDIT_SET;
  request.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.status.mask = AUDIT_STATUS_ENABLED;
  request.status.enabled = on ? 1 : 0;
  if (::send(socket, &request, sizeof request, 0) != sizeof request) return -errno;
  struct {
    nlmsghdr head;
    nlmsgerr error;
  } answer{};
  const Ret got = Ret::of(::recv(socket, &answer, sizeof answer, 0));
  if (!got.ok()) return got;
  return answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : -EPROTO;
}

class Audit : public Limits {
 protected:
  void SetUp() override {
    Limits::SetUp();
    if (IsSkipped()) return;
    if (const Ret r = switch_audit(true); !r.ok()) {
      GTEST_SKIP() << "no audit in this kernel: " << r;
    }
  }
  void TearDown() override {
    (void)switch_audit(false);
    Limits::TearDown();
  }
  static std::string line(const std::string& what, const std::string& result) {
    return "audit: .*vmctl: " + what + ".* pid=" + std::to_string(::getpid()) + " .*res=" + result;
  }
  KernelLog log_;
};

TEST_F(Audit, HasCreationsAndRevocations) {
  const Fd system = open_device();
  std::uint32_t id = 0;
  const Fd vm(create_vm(system, "a b\n\"", &id));
  ASSERT_TRUE(vm.valid());
  const std::string which = " vm=" + std::to_string(id) + R"( name="a\\040b\\012\\042" owner=0)";
  EXPECT_TRUE(log_.shows(line("op=create" + which, "1"))) << log_.seen();
  ASSERT_EQ(revoke(system, id), 0);
  EXPECT_TRUE(log_.shows(line("op=revoke" + which, "1"))) << log_.seen();
}

TEST_F(Audit, HasRefusals) {
  const Fd system = open_device();
  const Fd vm(create_vm(system, "tries"));
  kvm_create_device device{};
  ASSERT_EQ(ctl(vm, KVM_CREATE_DEVICE, &device), -EPERM);
  EXPECT_TRUE(log_.shows(line("op=refuse .*of=KVM_CREATE_DEVICE", "0"))) << log_.seen();
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, 1), 0);
  ASSERT_EQ(create_vm(system, "more"), -EDQUOT);
  EXPECT_TRUE(log_.shows(line("op=limit .*of=vms", "0"))) << log_.seen();
}

TEST_F(Audit, HasNothingWhereItIsOff) {
  ASSERT_EQ(switch_audit(false), 0);
  (void)log_.fresh();
  const Fd vm(create_vm(open_device(), "unseen"));
  EXPECT_TRUE(log_.shows("vmctl: vm .*\"unseen\".*created")) << log_.seen();
  for (const KernelLine& said : log_.fresh()) {
    EXPECT_EQ(said.text.find("op=create"), std::string::npos) << said.text;
  }
  EXPECT_EQ(log_.seen().find("op=create"), std::string::npos);
}

}  // namespace
