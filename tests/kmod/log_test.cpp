// SPDX-License-Identifier: GPL-2.0-only
//
// What the driver says of itself: the kernel log, dynamic debug, tracepoints.
#include <fcntl.h>
#include <sys/mount.h>

#include <regex>

#include "image.hpp"
#include "kmsg.hpp"
#include "limits.hpp"

namespace {

using namespace t;

// The watch over the kernel's log: what the tests bring KVM to say is nothing, all else is.
TEST(Complaint, IsWhatNoTestProvokes) {
  const auto complains = [](const char* text) { return is_complaint({.level = 4, .text = text}); };
  for (const char* text : {"SVM: set kvm_amd.dump_invalid_vmcb=1 to dump internal KVM state.",
                           "set kvm_intel.dump_invalid_vmcs=1 to dump internal KVM state.",
                           "kvm [143]: vcpu0, guest rIP: 0x0 unhandled rdmsr: 0x1"}) {
    EXPECT_FALSE(complains(text)) << text;
  }
  for (const char* text :
       {"kvm: something else is wrong", "kvm_amd: something else is wrong",
        "SVM: something else is wrong", "WARNING: CPU: 0 PID: 1 at kvm_main.c"}) {
    EXPECT_TRUE(complains(text)) << text;
  }
}

class Log : public Limits {
 protected:
  static void SetUpTestSuite() { wait_for_room_in_the_log(); }

  // "vmctl: vm 3 (pid 812, uid 0, "name"): " and what follows.
  static std::string line(std::uint32_t id, const std::string& name, const std::string& what) {
    return "^vmctl: vm " + std::to_string(id) + " \\(pid " + std::to_string(::getpid()) +
           ", uid 0, \"" + name + "\"\\): " + what;
  }
  KernelLog log_;
};

TEST_F(Log, TellsTheLifeOfAVm) {
  std::uint32_t id = 0;
  Machine machine = named(guest::halt(), "life", &id);
  EXPECT_TRUE(log_.shows(line(id, "life", "created$"))) << log_.seen();
  const Bytes image = guest::add();
  ASSERT_EQ(load(machine.vm, file_of(image), 0, image.size(), 0x1000), 0);
  EXPECT_TRUE(
      log_.shows(line(id, "life", "loaded 12 bytes at 0x1000, sha256 " + hex(sha256(image)) + "$")))
      << log_.seen();
  ASSERT_EQ(revoke(machine.system, id), 0);
  EXPECT_TRUE(log_.shows(line(id, "life", "revoked"))) << log_.seen();
  machine = Machine({}, Fd(), {});
  EXPECT_TRUE(log_.shows(line(id, "life", "destroyed$"))) << log_.seen();
}

TEST_F(Log, SaysNothingOfWhatDidNotHappen) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "quiet", &id);
  ASSERT_TRUE(log_.shows(line(id, "quiet", "created$")));
  log_.fresh();
  EXPECT_EQ(load(machine.vm, file_of(pattern(4)), 0, 5, 0), -ENODATA);
  EXPECT_EQ(machine.run(), 0);
  ASSERT_EQ(revoke(machine.system, id), 0);
  ASSERT_EQ(revoke(machine.system, id), 0);
  int lines = 0;
  for (const KernelLine& each : log_.fresh()) lines += each.text.starts_with("vmctl: ") ? 1 : 0;
  EXPECT_EQ(lines, 1) << "revoked, once:\n" << log_.seen();
}

TEST_F(Log, NamesAWriteThatWasNoCommand) {
  const Fd system = open_device();
  EXPECT_EQ(Ret::of(::write(system, "nonsense\x1b[31m", 13)), -EINVAL);
  EXPECT_TRUE(log_.shows("^vmctl: .*pid " + std::to_string(::getpid()))) << log_.seen();
  EXPECT_EQ(log_.seen().find('\x1b'), std::string::npos) << "what was written is not repeated raw";
}

// "vmctl: uid 0, pid 812: " and what follows.
std::string refusal(uid_t uid, const std::string& what) {
  return "^vmctl: uid " + std::to_string(uid) + ", pid " + std::to_string(::getpid()) + ": " + what;
}

TEST_F(Log, TellsOfALimitThatWasMet) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_MEMORY, 3 * std::uint64_t{4096}), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_TOTAL, 0, VMCTL_VMS, 1), 0);
  const Fd system = open_device();
  const Fd vm(create_vm(system, "only"));
  const Mapping memory = Mapping::memory(Machine::kMemory);
  ASSERT_EQ(set_slot(vm, 0, 0, 4096, memory.address()), 0);
  EXPECT_EQ(set_slot(vm, 1, 4096, 3 * std::uint64_t{4096}, memory.address()), -EDQUOT);
  EXPECT_TRUE(
      log_.shows(refusal(0, "12288 memory more than the limit of uid 0, 12288, with 4096 in use$")))
      << log_.seen();
  EXPECT_EQ(create_vm(system, "another"), -EDQUOT);
  EXPECT_TRUE(log_.shows(refusal(0, "1 vms more than the limit of all users, 1, with 1 in use$")))
      << log_.seen();
}

// A user who may have no VM tries to have one, and finds that in the log.
std::string is_told_of(uid_t uid, KernelLog& log) {
  NEED(::setresuid(uid, uid, uid) == 0);
  NEED_EQ(create_vm(open_device(), "none"), -EDQUOT);
  const std::string whose = "1 vms more than the limit of uid " + std::to_string(uid);
  NEED(log.shows(refusal(uid, whose + ", 0, with 0 in use$")));
  return "";
}

TEST_F(Log, NamesTheUserWhoMetALimit) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 0), 0);
  EXPECT_EQ(in_child([&] { return is_told_of(kUser, log_); }), "");
}

TEST_F(Log, IsNotFilledByLimits) {
  constexpr int kRefused = 200;
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, kUser, VMCTL_VMS, 0), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_VMS, 0), 0);
  wait_for_room_in_the_log();
  log_.fresh();
  const Fd system = open_device();
  for (int i = 0; i < kRefused; ++i) ASSERT_EQ(create_vm(system, "none"), -EDQUOT);
  int lines = 0;
  for (const KernelLine& each : log_.fresh()) {
    lines += each.text.find("more than the limit") != std::string::npos ? 1 : 0;
  }
  EXPECT_GT(lines, 0);
  EXPECT_LT(lines, kRefused / 2);
  EXPECT_EQ(in_child([&] { return is_told_of(kUser, log_); }), "") << "of others it tells still";
  wait_for_room_in_the_log();
  EXPECT_EQ(create_vm(system, "none"), -EDQUOT);
  EXPECT_TRUE(log_.shows(refusal(0, "1 vms more"))) << "after a while it tells again";
}

TEST_F(Log, NamesEachCommandUnderDynamicDebug) {
  const std::string control = "/sys/kernel/debug/dynamic_debug/control";
  kvm_debug_folders();  // mounts debugfs
  if (slurp(control).empty()) GTEST_SKIP() << "no dynamic debug in this kernel";
  const Machine machine = named(guest::halt(), "debug");
  kvm_regs regs{};
  log_.fresh();
  ASSERT_EQ(ctl(machine.cpu.fd, KVM_GET_REGS, &regs), 0);
  EXPECT_FALSE(log_.shows("KVM_GET_REGS", std::chrono::milliseconds(50))) << "off by default";
  ASSERT_TRUE(spit(control, "module vmctl +p"));
  (void)ctl(machine.cpu.fd, KVM_GET_REGS, &regs);
  (void)ctl(machine.vm, KVM_GET_STATS_FD);
  EXPECT_TRUE(log_.shows("^vmctl: .*KVM_GET_REGS: 0")) << log_.seen();
  EXPECT_TRUE(log_.shows("^vmctl: .*KVM_GET_STATS_FD refused")) << log_.seen();
  ASSERT_TRUE(spit(control, "module vmctl -p"));
}

class Trace : public Limits {
 protected:
  void SetUp() override {
    Limits::SetUp();
    if (IsSkipped()) return;
    if (entries_of(kRoot).empty()) ::mount("tracefs", kRoot, "tracefs", 0, nullptr);
    if (entries_of(root() + "/events").empty()) {
      tracing_ = false;
      GTEST_SKIP() << "no tracefs in this kernel";
    }
    Fd(::open((root() + "/trace").c_str(), O_WRONLY | O_TRUNC)).close();  // empties it
    ASSERT_TRUE(spit(root() + "/events/vmctl/enable", "1"));
  }
  void TearDown() override {
    if (tracing_ && device_is_vmctl()) spit(root() + "/events/vmctl/enable", "0");
    Limits::TearDown();
  }
  static std::string root() { return kRoot; }
  // The lines of one event, from its name on.
  static std::vector<std::string> lines_with(const std::string& event) {
    std::vector<std::string> found;
    for (const std::string& line : lines_of(slurp(root() + "/trace"))) {
      const auto at = line.find(": " + event + ": ");
      if (line[0] != '#' && at != std::string::npos) found.push_back(line.substr(at + 2));
    }
    return found;
  }
  static int count(const std::string& event, const std::string& expression) {
    int hits = 0;
    for (const std::string& line : lines_with(event)) {
      hits += std::regex_search(line, std::regex(expression)) ? 1 : 0;
    }
    return hits;
  }

 private:
  static constexpr const char* kRoot = "/sys/kernel/tracing";
  bool tracing_ = true;
};

TEST_F(Trace, HasAllEvents) {
  const std::string events = root() + "/events/vmctl/";
  for (const char* event : {"vm_create", "vm_destroy", "ioctl", "deny", "limit", "load", "exit"}) {
    EXPECT_FALSE(slurp(events + event + "/format").empty()) << event;
  }
}

TEST_F(Trace, FiresOncePerEvent) {
  std::uint32_t id = 0;
  Machine machine = named(guest::outs(3), "traced name", &id);
  const std::string vm = "vm=" + std::to_string(id) + "\\b";
  kvm_regs regs{};
  ASSERT_EQ(ctl(machine.cpu.fd, KVM_GET_REGS, &regs), 0);
  EXPECT_EQ(ctl(machine.vm, KVM_GET_STATS_FD), -EPERM);
  EXPECT_EQ(ctl(machine.cpu.fd, KVM_GET_STATS_FD), -EPERM);
  ASSERT_EQ(machine.run(), 0);
  const Fd file = file_of(pattern(64));
  ASSERT_EQ(load(machine.vm, file, 3, 50, 0x2001), 0);
  EXPECT_EQ(load(machine.vm, file, 0, 65, 0), -ENODATA);
  machine = Machine({}, Fd(), {});
  EXPECT_TRUE(eventually([&] { return count("vm_destroy", vm) == 1; }));

  EXPECT_EQ(count("vm_create", vm + " uid=0 name=traced\\\\040name"), 1);
  EXPECT_EQ(count("ioctl", vm + ".* KVM_GET_REGS ret=0"), 1);
  EXPECT_EQ(count("deny", vm + " .*KVM_GET_STATS_FD"), 2);
  EXPECT_EQ(count("exit", vm + " vcpu=0 reason=2 ret=0"), 3);
  EXPECT_EQ(count("exit", vm + " vcpu=0 reason=5 ret=0"), 1);
  EXPECT_EQ(count("load", vm + " offset=3 length=50 gpa=0x2001 ret=0"), 1);
  EXPECT_EQ(count("load", vm + " offset=0 length=65 gpa=(0x)?0 ret=-61"), 1);
}

TEST_F(Trace, TellsOfLimits) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_MEMORY, 3 * std::uint64_t{4096}), 0);
  ASSERT_EQ(set_limit(VMCTL_SCOPE_TOTAL, 0, VMCTL_VMS, 1), 0);
  const Fd system = open_device();
  const Fd vm(create_vm(system, "only"));
  EXPECT_EQ(set_slot(vm, 0, 0, 4 * std::uint64_t{4096}, 0x10000000), -EDQUOT);
  EXPECT_EQ(create_vm(system, "another"), -EDQUOT);
  EXPECT_EQ(count("limit", "uid=0 resource=memory of=user limit=12288 used=0 wanted=16384$"), 1);
  EXPECT_EQ(count("limit", "uid=0 resource=vms of=all limit=1 used=1 wanted=1$"), 1);
}

}  // namespace
