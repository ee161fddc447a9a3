// SPDX-License-Identifier: GPL-2.0-only
//
// Each command, with every chance to fail for want of memory or in copying
// from and to user memory taken once: a clean errno, nothing left behind, and
// the next call works.
#include "faults.hpp"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include "image.hpp"
#include "kmsg.hpp"
#include "limits.hpp"
#include "state.hpp"

namespace {

using namespace t;

// One call, and what is around it. Only `act` meets faults.
struct Trial {
  const char* name;
  std::vector<int> errnos;
  std::function<Ret()> act;
  std::function<void()> prepare = [] {};
  std::function<void(Ret)> undo = [](Ret) {};  // after an act that went well
  std::function<void()> finish = [] {};
};

void close_it(Ret fd) {
  ::close(static_cast<int>(fd.value));
}

class Fault : public Own {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (IsSkipped()) return;
    faults_ = std::make_unique<Faults>();
    if (!faults_->available()) GTEST_SKIP() << "no fault injection in this kernel";
  }
  void TearDown() override {
    faults_.reset();
    // What is left is told of want of memory, which there was.
    EXPECT_EQ(reports(), std::vector<std::string>());
    Own::TearDown();
  }

  void walk(const Trial& trial) {
    int injected = 0;
    int refused = 0;
    const State before = State::now();
    // How many chances there are differs a little from call to call.
    for (int nth = 1, quiet = 0; quiet < 3; ++nth) {
      SCOPED_TRACE(trial.name + std::string(" with fault ") + std::to_string(nth));
      ASSERT_LT(nth, 10000);
      trial.prepare();
      bool fired = false;
      ASSERT_NO_FATAL_FAILURE(once(trial, nth, &fired, &refused));
      trial.finish();
      ASSERT_TRUE(State::returns_to(before)) << State::now() << "\nshould be " << before;
      ASSERT_EQ(reports(), std::vector<std::string>());
      injected += fired ? 1 : 0;
      quiet = fired ? 0 : quiet + 1;
    }
    std::cout << trial.name << ": " << injected << " faults, " << refused << " times refused\n";
  }

 private:
  void once(const Trial& trial, int nth, bool* fired, int* refused) const {
    const State ready = State::now();
    faults_->arm(nth);
    Ret r = trial.act();
    *fired = faults_->fired();
    if (!r.ok()) {
      ++*refused;
      ASSERT_TRUE(*fired) << r << " without a fault";
      ASSERT_TRUE(std::find(trial.errnos.begin(), trial.errnos.end(), -r.value) !=
                  trial.errnos.end())
          << r;
      ASSERT_TRUE(State::returns_to(ready)) << State::now() << "\nshould be " << ready;
      r = trial.act();
      ASSERT_TRUE(r.ok()) << r << " on the next call";
    }
    trial.undo(r);
  }

  std::unique_ptr<Faults> faults_;
};

TEST_F(Fault, OpenReadAndPoll) {
  walk({.name = "open",
        .errnos = {ENOMEM, EFAULT},
        .act = [] { return Ret::of(::open("/dev/vmctl", O_RDWR | O_CLOEXEC)); },
        .undo = close_it});
  const Machine machine = named(guest::halt(), "seen");
  Fd fresh;
  char text[256];
  walk({.name = "read",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return Ret::of(::pread(fresh, text, sizeof text, 0)); },
        .prepare = [&] { fresh = open_device(); },
        .undo = [](Ret r) { EXPECT_GT(r.value, 10); },
        .finish = [&] { fresh.close(); }});
  pollfd polled{};
  walk({.name = "poll",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return Ret::of(::poll(&polled, 1, 0)); },
        .prepare =
            [&] {
              fresh = open_device();
              polled = {.fd = fresh, .events = POLLIN, .revents = 0};
            },
        .undo = [&](Ret) { EXPECT_EQ(polled.revents, POLLIN); },
        .finish = [&] { fresh.close(); }});
}

TEST_F(Fault, GetInfo) {
  Fd fresh;
  vmctl_info info{};
  walk({.name = "VMCTL_GET_INFO",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return ctl(fresh, VMCTL_GET_INFO, &info); },
        .prepare = [&] { fresh = open_device(); },
        .undo = [&](Ret) { EXPECT_EQ(info.abi_version, unsigned{VMCTL_ABI_VERSION}); },
        .finish = [&] { fresh.close(); }});
}

TEST_F(Fault, CreateVm) {
  const Fd system = open_device();
  ASSERT_EQ(ctl(system, KVM_GET_API_VERSION), 12);  // it holds KVM's module from here on
  // For an owner, the real user, who is not known yet.
  ASSERT_EQ(::setresuid(12345, 0, 0), 0);
  walk({.name = "VMCTL_CREATE_VM",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return create_vm(system, "fault"); },
        .undo = close_it});
  EXPECT_EQ(::setresuid(0, 0, 0), 0);
}

TEST_F(Fault, KvmCreateVm) {
  Fd fresh;
  walk({.name = "KVM_CREATE_VM",
        .errnos = {ENOMEM},
        .act = [&] { return ctl(fresh, KVM_CREATE_VM); },
        .prepare = [&] { fresh = open_device(); },
        .undo = close_it,
        .finish = [&] { fresh.close(); }});
}

TEST_F(Fault, KvmCreateVcpu) {
  const Fd system = open_device();
  Fd vm;
  walk({.name = "KVM_CREATE_VCPU",
        .errnos = {ENOMEM},
        .act = [&] { return ctl(vm, KVM_CREATE_VCPU, 0); },
        .prepare = [&] { vm = Fd(create_vm(system, "fault")); },
        .undo = close_it,
        .finish = [&] { vm.close(); }});
}

TEST_F(Fault, SetMemory) {
  const Fd system = open_device();
  const Mapping memory = Mapping::memory(0x10000);
  Fd vm;
  walk({.name = "KVM_SET_USER_MEMORY_REGION",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return set_slot(vm, 0, 0, 0x10000, memory.address()); },
        .prepare = [&] { vm = Fd(create_vm(system, "fault")); },
        .finish = [&] { vm.close(); }});
}

TEST_F(Fault, LoadImage) {
  const Fd system = open_device();
  const Fd vm(create_vm(system, "fault"));
  const Bytes bytes = pattern(0x3000);
  const Fd file = file_of(bytes);
  const Mapping memory = Mapping::memory(0x4000);
  ASSERT_EQ(set_slot(vm, 0, 0, 0x4000, memory.address()), 0);
  // Once before: EFAULT may come when all is done but the answer, and the digest is kept.
  ASSERT_EQ(load(vm, file, 0, bytes.size(), 0x800), 0);
  walk({.name = "VMCTL_LOAD_IMAGE",
        .errnos = {ENOMEM, EFAULT, EIO},
        .act = [&] { return load(vm, file, 0, bytes.size(), 0x800); },
        // Into memory without pages.
        .prepare = [&] { ASSERT_EQ(::madvise(memory.data(), memory.size(), MADV_DONTNEED), 0); },
        .undo =
            [&](Ret) {
              EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory.data() + 0x800));
              EXPECT_EQ(table().front().image, digest_text(bytes));
            }});
}

TEST_F(Fault, GetStats) {
  std::uint32_t id = 0;
  const Machine machine = named(guest::halt(), "fault", &id);
  ASSERT_EQ(machine.built, 0);
  vmctl_stats all{};
  const auto check = [&](Ret) { EXPECT_EQ(all.vcpus, 1U); };
  walk({.name = "VMCTL_GET_STATS of the system fd",
        .errnos = {EFAULT},
        .act = [&] { return stats(machine.system, id, VMCTL_ALL_VCPUS, &all); },
        .undo = check});
  walk({.name = "VMCTL_GET_STATS of the VM fd",
        .errnos = {EFAULT},
        .act = [&] { return stats(machine.vm, 0, 0, &all); },
        .undo = check});
  walk({.name = "VMCTL_GET_STATS of the vCPU fd",
        .errnos = {EFAULT},
        .act = [&] { return stats(machine.cpu.fd, 0, VMCTL_ALL_VCPUS, &all); },
        .undo = check});
}

TEST_F(Fault, Revoke) {
  const Fd system = open_device();
  std::uint32_t id = 0;
  Fd vm;
  const auto prepare = [&] { vm = Fd(create_vm(system, "fault", &id)); };
  const auto check = [&](Ret) { EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 0), -ENODEV); };
  const auto finish = [&] { vm.close(); };
  walk({.name = "VMCTL_REVOKE_VM",
        .errnos = {EFAULT},
        .act = [&] { return revoke(system, id); },
        .prepare = prepare,
        .undo = check,
        .finish = finish});
  walk({.name = "write",
        .errnos = {ENOMEM, EFAULT},
        .act =
            [&] {
              const std::string line = "revoke " + std::to_string(id) + "\n";
              return Ret::of(::write(system, line.data(), line.size()));
            },
        .prepare = prepare,
        .undo = check,
        .finish = finish});
}

TEST_F(Fault, Run) {
  std::optional<Machine> machine;
  walk({.name = "KVM_RUN",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return machine->cpu.enter(); },
        .prepare = [&] { machine.emplace(named(guest::outs(3), "fault")); },
        .undo =
            [&](Ret) {
              // Something may have been done without; then it goes on.
              EXPECT_EQ(machine->run(), 0);
              EXPECT_EQ(machine->cpu.run().exit_reason, unsigned{KVM_EXIT_HLT});
            },
        .finish = [&] { machine.reset(); }});
}

TEST_F(Fault, MapTheRunPage) {
  std::uint32_t id = 0;
  Machine machine = named(guest::halt(), "fault", &id);
  const std::size_t size = machine.cpu.page.size();
  void* at = MAP_FAILED;
  const auto map = [&] {
    at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, machine.cpu.fd, 0);
    return at == MAP_FAILED ? Ret(-errno) : Ret(0);
  };
  const auto touch = [&] {
    for (std::size_t i = 0; i < size; i += page_size()) static_cast<volatile char*>(at)[i] = 1;
    return Ret(0);
  };
  const auto unmap = [&] { EXPECT_EQ(::munmap(at, size), 0); };
  walk({.name = "mmap", .errnos = {ENOMEM}, .act = map, .undo = [&](Ret) { unmap(); }});
  walk({.name = "a look at the run page",
        .errnos = {},
        .act = touch,
        .prepare = [&] { ASSERT_EQ(map(), 0); },
        .finish = unmap});
  // The pages of a revoked VM are made where they are looked at.
  walk({.name = "a look at a revoked run page",
        .errnos = {},
        .act = touch,
        .prepare =
            [&] {
              ASSERT_EQ(map(), 0);
              ASSERT_EQ(revoke(machine.system, id), 0);
            },
        .finish =
            [&] {
              unmap();
              machine = Machine(Fd(), Fd(), {});
              machine = named(guest::halt(), "fault", &id);
            }});
}

// What KVM does alone, through the driver.
TEST_F(Fault, CommandsThatArePassed) {
  std::optional<Machine> machine;
  List<kvm_cpuid2, kvm_cpuid_entry2, 100> cpuid{};
  List<kvm_irq_routing, kvm_irq_routing_entry, 1> routes{};
  kvm_pit_config pit{};
  kvm_lapic_state lapic{};
  kvm_xsave xsave{};
  kvm_sregs sregs{};
  List<kvm_msrs, kvm_msr_entry, 1> msrs{};
  const struct {
    const char* name;
    std::function<Ret()> act;
  } rows[] = {
      {"KVM_GET_SUPPORTED_CPUID",
       [&] {
         cpuid->nent = 100;
         return ctl(machine->system, KVM_GET_SUPPORTED_CPUID, &cpuid);
       }},
      {"KVM_SET_CPUID2", [&] { return ctl(machine->cpu.fd, KVM_SET_CPUID2, &cpuid); }},
      {"KVM_SET_GSI_ROUTING",
       [&] {
         routes->nr = 1;
         routes[0] = {.gsi = 5, .type = KVM_IRQ_ROUTING_MSI};
         return ctl(machine->vm, KVM_SET_GSI_ROUTING, &routes);
       }},
      {"KVM_CREATE_PIT2", [&] { return ctl(machine->vm, KVM_CREATE_PIT2, &pit); }},
      {"KVM_GET_LAPIC", [&] { return ctl(machine->cpu.fd, KVM_GET_LAPIC, &lapic); }},
      {"KVM_GET_XSAVE", [&] { return ctl(machine->cpu.fd, KVM_GET_XSAVE, &xsave); }},
      {"KVM_SET_XSAVE", [&] { return ctl(machine->cpu.fd, KVM_SET_XSAVE, &xsave); }},
      {"KVM_GET_SREGS", [&] { return ctl(machine->cpu.fd, KVM_GET_SREGS, &sregs); }},
      {"KVM_SET_SREGS", [&] { return ctl(machine->cpu.fd, KVM_SET_SREGS, &sregs); }},
      {"KVM_GET_MSRS",
       [&] {
         msrs->nmsrs = 1;
         msrs[0].index = 0x10;
         return ctl(machine->cpu.fd, KVM_GET_MSRS, &msrs);
       }},
  };
  const auto prepare = [&] {
    Fd system = open_device();
    Fd vm(create_vm(system, "fault"));
    ASSERT_EQ(ctl(vm, KVM_CREATE_IRQCHIP), 0);
    machine.emplace(std::move(system), std::move(vm), guest::halt());
    ASSERT_EQ(machine->built, 0);
    // So that it is charged for all that it is to have: that begins with the first try.
    cpuid->nent = 100;
    ASSERT_EQ(ctl(machine->system, KVM_GET_SUPPORTED_CPUID, &cpuid), 0);
    ASSERT_EQ(ctl(machine->cpu.fd, KVM_SET_CPUID2, &cpuid), 0);
  };
  for (const auto& row : rows) {
    walk({.name = row.name,
          .errnos = {ENOMEM, EFAULT},
          .act = row.act,
          .prepare = prepare,
          .finish = [&] { machine.reset(); }});
  }
}

// What the driver checks on a copy, with all vCPUs watched; nothing of the copy stays mapped.
TEST_F(Fault, CommandsThatAreChecked) {
  ASSERT_EQ(set_limit(VMCTL_SCOPE_USER, 0, VMCTL_NESTED, 1000), 0);
  std::optional<Machine> machine;
  List<kvm_cpuid2, kvm_cpuid_entry2, 1> cpuid{};
  cpuid->nent = 1;
  // Without SVM, for which it would be charged from the first try on.
  cpuid[0].function = 0x80000001;
  List<kvm_msrs, kvm_msr_entry, 1> msrs{};
  msrs->nmsrs = 1;
  msrs[0].index = 0x10;
  kvm_sregs sregs{};
  kvm_enable_cap enable{};
  enable.cap = KVM_CAP_EXCEPTION_PAYLOAD;
  enable.args[0] = 1;
  const struct {
    const char* name;
    std::function<Ret()> act;
    bool ran = false;  // before: what KVM itself needs for the first time is Fault.Run's
  } rows[] = {
      {"KVM_SET_CPUID2", [&] { return ctl(machine->cpu.fd, KVM_SET_CPUID2, &cpuid); }},
      {"KVM_SET_SREGS", [&] { return ctl(machine->cpu.fd, KVM_SET_SREGS, &sregs); }},
      {"KVM_SET_MSRS",
       [&] {
         const Ret r = ctl(machine->cpu.fd, KVM_SET_MSRS, &msrs);
         return r.value == 0 ? Ret(-EFAULT) : r;
       }},
      {"KVM_ENABLE_CAP", [&] { return ctl(machine->vm, KVM_ENABLE_CAP, &enable); }},
      {"a watched KVM_CREATE_VCPU",
       [&] {
         const Ret r = ctl(machine->vm, KVM_CREATE_VCPU, 1);
         if (r.ok()) Fd(r).close();
         return r;
       }},
      {"a watched KVM_RUN", [&] { return machine->cpu.enter(); }, true},
  };
  for (const auto& row : rows) {
    walk({.name = row.name,
          .errnos = {ENOMEM, EFAULT},
          .act = row.act,
          .prepare =
              [&] {
                machine.emplace(named(guest::outs(3), "fault"));
                if (row.ran) {
                  ASSERT_EQ(machine->cpu.enter(), 0);
                }
                ASSERT_EQ(ctl(machine->cpu.fd, KVM_GET_SREGS, &sregs), 0);
              },
          .finish = [&] { machine.reset(); }});
    EXPECT_EQ(slurp("/proc/self/maps").find("vmctl-desk"), std::string::npos) << row.name;
  }
  const __u64 none[VMCTL_RESOURCES] = {};
  EXPECT_EQ(set_limits(open_device(), VMCTL_SCOPE_USER, 0, 0, none), 0);
}

TEST_F(Fault, LimitsAndEvents) {
  const Fd system = open_device();
  vmctl_limits limits{};
  const __u64 values[VMCTL_RESOURCES] = {5};
  const __u64 none[VMCTL_RESOURCES] = {};
  walk({.name = "VMCTL_GET_LIMITS", .errnos = {EFAULT}, .act = [&] {
          return get_limits(system, VMCTL_SCOPE_USER, 0, &limits);
        }});
  walk({.name = "VMCTL_SET_LIMITS",
        .errnos = {ENOMEM, EFAULT},
        .act = [&] { return set_limits(system, VMCTL_SCOPE_USER, 12345, 1, values); },
        .finish = [&] { EXPECT_EQ(set_limits(system, VMCTL_SCOPE_USER, 12345, 0, none), 0); }});
  vmctl_command command{};
  walk({.name = "VMCTL_GET_COMMAND", .errnos = {EFAULT}, .act = [&] {
          return ctl(system, VMCTL_GET_COMMAND, &command);
        }});
  const Fd vm(create_vm(system, "told"));
  Fd fresh;
  vmctl_event event{};
  walk({.name = "VMCTL_GET_EVENT",
        .errnos = {EFAULT},
        .act = [&] { return ctl(fresh, VMCTL_GET_EVENT, &event); },
        .prepare = [&] { fresh = open_device(); },
        .finish = [&] { fresh.close(); }});
}

// Whatever fails on the way out, all goes; only to unmap can itself want memory.
TEST_F(Fault, Closing) {
  std::optional<Machine> machine;
  const auto prepare = [&] { machine.emplace(named(guest::halt(), "fault")); };
  walk({.name = "closing from the top",
        .errnos = {},
        .act =
            [&] {
              machine->system.close();
              machine->vm.close();
              machine->cpu.fd.close();
              return Ret(0);
            },
        .prepare =
            [&] {
              prepare();
              ASSERT_TRUE(machine->cpu.page.unmap());
            },
        .finish = [&] { machine.reset(); }});
  walk({.name = "closing from the bottom",
        .errnos = {ENOMEM},
        .act =
            [&] {
              if (!machine->cpu.page.unmap()) return Ret(-errno);
              machine->cpu.fd.close();
              machine->vm.close();
              machine->system.close();
              return Ret(0);
            },
        .prepare = prepare,
        .finish = [&] { machine.reset(); }});
}

}  // namespace
