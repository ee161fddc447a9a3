// SPDX-License-Identifier: GPL-2.0-only
//
// Loading and unloading, and which device node the module takes for KVM.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "faults.hpp"
#include "kmsg.hpp"
#include "limits.hpp"
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
  // Up to the parameters the kernel is at work alone, mostly on tracepoints, and then on files for
  // them: some of that is enough, but where there is time.
  const bool all = std::getenv("VMCTL_SOAK") != nullptr;
  constexpr int kMany = 100000;
  faults.arm(kMany);
  ASSERT_EQ(Loadable::insert_open(file, "total_vms=x"), -EINVAL);
  const int of_kernel = kMany - faults.left();
  int refused = 0;
  int injected = 0;
  for (int nth = 1, quiet = 0; quiet < 3; nth += all ? 1 : nth < of_kernel ? 7 : 3) {
    SCOPED_TRACE(nth);
    ASSERT_LT(nth, 10000);
    faults.arm(nth);
    const Ret r = Loadable::insert_open(file, "");
    const bool fired = faults.fired();
    if (r.ok()) {
      // Some things can be done without.
      EXPECT_TRUE(open_device().valid());
      if (nth % 8 == 0) {
        EXPECT_EQ(Machine(guest::add()).run(), 0);
      }
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
  std::cout << "loading: " << of_kernel << " chances of the kernel's, " << injected << " faults, "
            << refused << " times refused\n";
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
  ASSERT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert(), 0);
  // And so while the module is loaded, with VMs at work.
  constexpr const char* kParameter = "/sys/module/vmctl/parameters/kvm_path";
  const Machine machine(guest::add());
  ASSERT_TRUE(spit(kParameter, "/dev/null\n"));
  EXPECT_EQ(ctl(open_device(), KVM_CREATE_VM), -ENODEV);
  ASSERT_TRUE(spit(kParameter, "/dev/kvm-elsewhere\n"));
  EXPECT_EQ(slurp(kParameter), "/dev/kvm-elsewhere\n");
  EXPECT_EQ(ctl(open_device(), KVM_GET_API_VERSION), 12);
  std::string out;
  EXPECT_EQ(machine.run(&out), 0);
  EXPECT_EQ(out, "4\n");
  ASSERT_TRUE(spit(kParameter, "/dev/kvm"));
  ASSERT_EQ(::unlink("/dev/kvm-elsewhere"), 0);
}

TEST_F(Module, UnknownParametersDoNotHarm) {
  ASSERT_EQ(remove_soon(), 0);
  EXPECT_EQ(insert("no_such_parameter=1"), 0);
  EXPECT_EQ(ctl(open_device(), KVM_GET_API_VERSION), 12);
}

TEST_F(Module, ParametersAreTheLimits) {
  ASSERT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert("total_vms=11 total_vcpus=12 total_memory=13000000 total_nested=15 user_vms=1 "
                   "user_vcpus=2 user_memory=3000000 user_vm_vcpus=4 user_nested=5"),
            0);
  {
    using Values = std::array<__u64, VMCTL_RESOURCES>;
    const Fd system = open_device();
    vmctl_limits all{};
    EXPECT_EQ(get_limits(system, VMCTL_SCOPE_TOTAL, 0, &all), 0);
    EXPECT_EQ(std::to_array(all.limit), (Values{11, 12, 13000000, VMCTL_UNLIMITED, 15}));
    vmctl_limits each{};
    EXPECT_EQ(get_limits(system, VMCTL_SCOPE_DEFAULT, 0, &each), 0);
    EXPECT_EQ(std::to_array(each.limit), (Values{1, 2, 3000000, 4, 5}));
    const Fd first(create_vm(system, "first"));
    EXPECT_TRUE(first.valid());
    EXPECT_EQ(create_vm(system, "second"), -EDQUOT);
  }
  ASSERT_EQ(remove_soon(), 0);
  ASSERT_EQ(insert(), 0);
}

TEST_F(Module, LimitsThatAreNoNumbersDoNotLoad) {
  ASSERT_EQ(remove_soon(), 0);
  for (const char* bad : {"user_vms=many", "user_vms=-1", "total_memory=1G",
                          "user_memory=18446744073709551616", "total_vcpus="}) {
    EXPECT_FALSE(insert(bad).ok()) << bad;
    if (vmctl().loaded()) ASSERT_EQ(remove_soon(), 0);
  }
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

// The node is open to all for the time of a test.
class OpenToAll {
 public:
  OpenToAll() {
    struct stat now {};
    ::stat("/dev/vmctl", &now);
    mode_ = now.st_mode;
    ::chmod("/dev/vmctl", 0666);
  }
  OpenToAll(const OpenToAll&) = delete;
  OpenToAll& operator=(const OpenToAll&) = delete;
  ~OpenToAll() { ::chmod("/dev/vmctl", mode_); }

 private:
  mode_t mode_ = 0;
};

// A user who is root in namespaces of his own, with another /dev there.
std::string enter_container(uid_t uid) {
  NEED_EQ(become(uid), kDone);
  NEED(::prctl(PR_SET_DUMPABLE, 1) == 0);  // or /proc/self is root's
  NEED(::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0);
  NEED(spit("/proc/self/setgroups", "deny"));
  NEED(spit("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1"));
  NEED(spit("/proc/self/gid_map", "0 " + std::to_string(uid) + " 1"));
  NEED(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0);
  return "";
}

bool make_file(const char* path) {
  return Fd(::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)).valid();
}

// What stands in that /dev as KVM's node.
const struct {
  const char* name;
  bool (*put)(const std::string& other_node);
} kFakes[] = {
    {"a file", [](const std::string& /*node*/) { return make_file("/dev/kvm"); }},
    {"a link",
     [](const std::string& /*node*/) {
       return make_file("/dev/other") && ::symlink("other", "/dev/kvm") == 0;
     }},
    {"another node",
     [](const std::string& node) {
       return make_file("/dev/kvm") &&
              ::mount(node.c_str(), "/dev/kvm", nullptr, MS_BIND, nullptr) == 0;
     }},
};

TEST_F(Module, IsNotFooledByAContainer) {
  const OpenToAll open_to_all;
  const auto path = [](int fd) { return "/proc/self/fd/" + std::to_string(fd); };
  for (const auto& fake : kFakes) {
    const std::string said = in_child([&]() -> std::string {
      const Fd name(::open("/dev/vmctl", O_PATH | O_CLOEXEC));
      if (std::string trouble = enter_container(12345); !trouble.empty()) return trouble;
      // None of them has reached for KVM so far.
      Fd opened_before = open_device();
      NEED(opened_before.valid());
      const Fd null(::open("/dev/null", O_PATH | O_CLOEXEC));
      NEED(::mount("none", "/dev", "tmpfs", 0, nullptr) == 0);
      NEED(fake.put(path(null)));
      struct stat node {};
      NEED(::stat("/dev/kvm", &node) == 0);
      NEED(node.st_rdev != ::makedev(10, 232));
      Fd opened_now(::open(path(name).c_str(), O_RDWR | O_CLOEXEC));
      NEED(opened_now.valid());
      for (Fd* system : {&opened_before, &opened_now}) {
        Fd vm(ctl(*system, KVM_CREATE_VM));
        NEED(vm.valid());
        const Machine machine(std::move(*system), std::move(vm), guest::add());
        std::string out;
        NEED_EQ(machine.run(&out), 0);
        NEED_EQ(out, "4\n");
      }
      return "";
    });
    EXPECT_EQ(said, "") << fake.name;
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
              NEED_EQ(become(65534), kDone);
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
