// SPDX-License-Identifier: GPL-2.0-only
//
// Loading and unloading, and which device node the module takes for KVM.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <iostream>

#include "faults.hpp"
#include "kmsg.hpp"
#include "reloading.hpp"
#include "traces.hpp"

namespace {

using namespace t;

Ret insert(const std::string& parameters = "") {
  return vmctl().insert(parameters);
}
Ret remove() {
  return vmctl().remove();
}

class Module : public Reloading {
 protected:
  static Ret remove_soon() { return vmctl().remove_soon(); }
  static bool busy(Ret r) { return Loadable::busy(r); }
};

// Whatever is open alone keeps the module in: each holder by itself.
TEST_F(Module, IsHeldByEachOpenThing) {
  const struct {
    const char* what;
    void (*drop_others)(Machine&);
  } rows[] = {
      {"a system fd",
       [](Machine& m) {
         m.vm.close();
         m.cpu = Vcpu();
       }},
      {"a VM fd",
       [](Machine& m) {
         m.system.close();
         m.cpu = Vcpu();
       }},
      {"a vCPU fd",
       [](Machine& m) {
         m.system.close();
         m.vm.close();
         m.cpu.page.unmap();
       }},
      {"a mapping",
       [](Machine& m) {
         m.system.close();
         m.vm.close();
         m.cpu.fd.close();
       }},
  };
  for (const auto& row : rows) {
    {
      Machine machine(guest::add());
      ASSERT_EQ(machine.built, 0) << row.what;
      row.drop_others(machine);
      ::usleep(50000);
      const Ret r = remove();
      EXPECT_TRUE(busy(r)) << row.what << ": " << r;
      if (r.ok()) ASSERT_EQ(insert(), 0);
    }
    EXPECT_EQ(remove_soon(), 0) << row.what << " is gone";
    ASSERT_EQ(insert(), 0);
  }
}

TEST_F(Module, IsHeldByARevokedVm) {
  {
    std::uint32_t id = 0;
    Machine machine = named(guest::add(), "held", &id);
    ASSERT_EQ(revoke(machine.system, id), 0);
    machine.system.close();
    EXPECT_TRUE(busy(remove()));
    machine.vm.close();
    machine.cpu.fd.close();
    ::usleep(50000);
    EXPECT_TRUE(busy(remove())) << "the mapping is left";
    machine.cpu.page.data()[0] = 1;
  }
  EXPECT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert(), 0);
}

TEST_F(Module, ComesAndGoesTwentyTimes) {
  KernelLog log;
  for (int turn = 0; turn < 20; ++turn) {
    {
      std::uint32_t id = 0;
      const Machine machine = named(guest::add(), "turn", &id);
      std::string out;
      ASSERT_EQ(machine.run(&out), 0) << turn;
      ASSERT_EQ(out, "4\n");
      if (turn % 2 == 1) ASSERT_EQ(revoke(machine.system, id), 0);
    }
    ASSERT_EQ(remove_soon(), 0) << turn;
    ASSERT_NE(::access("/dev/vmctl", F_OK), 0);
    ASSERT_TRUE(entries_of("/sys/class/vmctl").empty());
    ASSERT_EQ(insert(), 0) << turn;
    ASSERT_EQ(::access("/dev/vmctl", F_OK), 0);
    EXPECT_EQ(insert(), -EEXIST);
  }
  for (const KernelLine& line : log.fresh()) EXPECT_FALSE(is_complaint(line)) << line.text;
}

// Unloading while the last holder is only just letting go.
TEST_F(Module, GoesRightAfterTheLastUse) {
  for (int turn = 0; turn < 20; ++turn) {
    {
      std::uint32_t id = 0;
      const Machine machine = named(guest::loop(), "last", &id);
      const std::string said = in_child([&]() -> std::string {
        NEED_EQ(revoke(open_device(), id), 0);
        return "";
      });
      ASSERT_EQ(said, "");
    }
    Ret r = 0;
    while (busy(r = remove())) {
    }
    ASSERT_EQ(r, 0);
    ASSERT_EQ(insert(), 0);
  }
}

// Whatever fails while it loads, nothing of it is left, and then it loads.
TEST_F(Module, LeavesNothingWhenItFailsToLoad) {
  const Faults faults;
  if (!faults.available()) GTEST_SKIP() << "no fault injection in this kernel";
  complaints_so_far();
  ASSERT_EQ(remove_soon(), 0);
  const Traces before = Traces::now();
  const Fd file = vmctl().open();
  int refused = 0;
  int injected = 0;
  for (int nth = 1, quiet = 0; quiet < 3; ++nth) {
    SCOPED_TRACE(nth);
    ASSERT_LT(nth, 10000);
    faults.arm(nth);
    const Ret r = Loadable::insert_open(file, "");
    const bool fired = faults.fired();
    if (r.ok()) {
      // Some things can be done without.
      const Machine machine(guest::add());
      EXPECT_EQ(machine.run(), 0);
    } else {
      ASSERT_TRUE(fired) << r;
      ++refused;
    }
    if (vmctl().loaded()) ASSERT_EQ(remove_soon(), 0);
    ASSERT_EQ(Traces::now(), before);
    // Of what fails the kernel may complain; and it warns where it cannot describe a tracepoint.
    auto said = reports();
    std::erase_if(said, [](const std::string& line) {
      return line.find("at event_define_fields+") != std::string::npos;
    });
    ASSERT_EQ(said, std::vector<std::string>());
    injected += fired ? 1 : 0;
    quiet = fired ? 0 : quiet + 1;
  }
  EXPECT_GT(refused, 20);
  std::cout << "loading: " << injected << " faults, " << refused << " times refused\n";
}

// Where kvm_path leads to no KVM, KVM's commands say so and the rest works.
TEST_F(Module, WithoutKvmTheRestWorks) {
  for (const char* path : {"/nowhere", "/dev/null", "/dev/zero", "/dev", "/proc/version", "/", "",
                           "kvm", "/dev/kvm/", "/dev/vmctl"}) {
    ASSERT_EQ(remove_soon(), 0);
    const Ret loaded = insert("kvm_path=\"" + std::string(path) + "\"");
    if (!loaded.ok()) {  // an empty path may be refused at once
      ADD_FAILURE() << path << ": " << loaded;
      ASSERT_EQ(insert(), 0);
      continue;
    }
    const Fd system = open_device();
    EXPECT_EQ(ctl(system, KVM_GET_API_VERSION), -ENODEV) << path;
    EXPECT_EQ(ctl(system, KVM_CREATE_VM), -ENODEV) << path;
    EXPECT_EQ(ctl(system, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), -ENODEV) << path;
    EXPECT_EQ(create_vm(system, "x"), -ENODEV) << path;
    EXPECT_EQ(ctl(system, _IO(KVMIO, 0xff)), -ENOTTY) << path;
    EXPECT_EQ(revoke(system, 1), -ENOENT) << path;
    auto info = poisoned<vmctl_info>();
    EXPECT_EQ(ctl(system, VMCTL_GET_INFO, &info), 0) << path;
    EXPECT_EQ(info.kvm_errno, unsigned{ENODEV}) << path;
    EXPECT_EQ(info.kvm_api_version, 0U) << path;
    EXPECT_EQ(info.abi_version, unsigned{VMCTL_ABI_VERSION}) << path;
    char byte = 0;
    EXPECT_EQ(::read(system, &byte, 1), 0) << path;
  }
  ASSERT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert(), 0);
  EXPECT_EQ(ctl(open_device(), KVM_GET_API_VERSION), 12);
}

// So an admin puts /dev/vmctl in the place of /dev/kvm.
TEST_F(Module, KvmMayStandElsewhere) {
  ASSERT_EQ(::mknod("/dev/kvm-elsewhere", S_IFCHR | 0600, ::makedev(10, 232)), 0);
  ASSERT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert("kvm_path=/dev/kvm-elsewhere"), 0);
  EXPECT_EQ(slurp("/sys/module/vmctl/parameters/kvm_path"), "/dev/kvm-elsewhere\n");
  {
    const Machine machine(guest::add());
    std::string out;
    EXPECT_EQ(machine.run(&out), 0);
    EXPECT_EQ(out, "4\n");
  }
  ASSERT_EQ(::unlink("/dev/kvm-elsewhere"), 0);
  ASSERT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert(), 0);
}

TEST_F(Module, UnknownParametersDoNotHarm) {
  ASSERT_EQ(remove_soon(), 0);
  EXPECT_EQ(insert("no_such_parameter=1"), 0);
  EXPECT_EQ(ctl(open_device(), KVM_GET_API_VERSION), 12);
}

// What a caller has mounted over /dev/kvm in his own namespace is not looked at.
TEST_F(Module, IsNotFooledByACallersMounts) {
  for (const char* fake : {"/dev/null", "fifo"}) {
    const std::string said = in_child([&]() -> std::string {
      NEED(::unshare(CLONE_NEWNS) == 0);
      NEED(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
      std::string source = fake;
      if (source == "fifo") {
        source = "/tmp/fake-kvm";
        ::unlink(source.c_str());
        NEED(::mkfifo(source.c_str(), 0666) == 0);
      }
      NEED(::mount(source.c_str(), "/dev/kvm", nullptr, MS_BIND, nullptr) == 0);
      struct stat node {};
      NEED(::stat("/dev/kvm", &node) == 0);
      NEED(node.st_rdev != ::makedev(10, 232));
      const Machine machine(guest::add());
      std::string out;
      NEED_EQ(machine.run(&out), 0);
      NEED_EQ(out, "4\n");
      return "";
    });
    EXPECT_EQ(said, "") << fake;
    ::unlink("/tmp/fake-kvm");
  }
}

// A root of the caller's own, with nothing in it.
TEST_F(Module, IsNotFooledByACallersRoot) {
  EXPECT_EQ(in_child([]() -> std::string {
              const Fd system = open_device();
              NEED(::chroot("/proc/self/fdinfo") == 0);
              NEED_EQ(ctl(system, KVM_GET_API_VERSION), 12);
              NEED(Fd(ctl(system, KVM_CREATE_VM)).valid());
              return "";
            }),
            "");
}

// A caller without any right to /dev/kvm.
TEST_F(Module, OpensKvmWithRightsOfItsOwn) {
  EXPECT_EQ(in_child([]() -> std::string {
              const Fd system = open_device();
              NEED(::setresgid(65534, 65534, 65534) == 0);
              NEED(::setresuid(65534, 65534, 65534) == 0);
              NEED(!open_device("/dev/kvm").valid());
              NEED_EQ(ctl(system, KVM_GET_API_VERSION), 12);
              return "";
            }),
            "");
}

TEST_F(Module, SaysWhatItIs) {
  EXPECT_FALSE(slurp("/sys/module/vmctl/version").empty());
  EXPECT_EQ(slurp("/sys/module/vmctl/parameters/kvm_path"), "/dev/kvm\n");
  EXPECT_NE(slurp("/sys/class/vmctl/vmctl/dev"), "");
}

}  // namespace
