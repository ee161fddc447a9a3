// SPDX-License-Identifier: GPL-2.0-only
#include "measure.hpp"

#include <linux/vmctl.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include "machine.hpp"

namespace bench {
namespace {

std::uint64_t now() {
  _mm_lfence();
  const std::uint64_t ticks = __rdtsc();
  _mm_lfence();
  return ticks;
}

void must(t::Ret r, const char* what) {
  if (!r.ok())
    throw std::runtime_error(std::string(what) + ": " + std::strerror(static_cast<int>(-r.value)));
}

// One command on one device: prepared once, measured often.
using Step = std::function<std::uint64_t()>;
struct Kind {
  const char* name;
  std::size_t rounds;
  std::function<Step(const std::string& device)> prepare;
};

Step timed_ioctl(std::shared_ptr<t::Machine> machine, int fd, unsigned long command,
                 const char* name, void* argument = nullptr) {
  return [machine = std::move(machine), fd, command, name, argument] {
    const std::uint64_t start = now();
    const int r = ::ioctl(fd, command, argument);
    const std::uint64_t ticks = now() - start;
    must(t::Ret::of(r), name);
    return ticks;
  };
}

std::shared_ptr<t::Machine> machine_on(const std::string& device, const t::Bytes& code) {
  auto machine = std::make_shared<t::Machine>(code, device);
  must(machine->built, device.c_str());
  return machine;
}

Step port_out(const std::string& device) {
  auto machine = machine_on(device, t::guest::outs_forever());
  return timed_ioctl(machine, machine->cpu.fd, KVM_RUN, "KVM_RUN");
}

Step get_regs(const std::string& device) {
  static kvm_regs regs;
  auto machine = machine_on(device, t::guest::halt());
  return timed_ioctl(machine, machine->cpu.fd, KVM_GET_REGS, "KVM_GET_REGS", &regs);
}

Step api_version(const std::string& device) {
  auto machine = machine_on(device, t::guest::halt());
  return timed_ioctl(machine, machine->system, KVM_GET_API_VERSION, "KVM_GET_API_VERSION");
}

// Room for that many; on raw KVM there are no limits but of descriptors.
void allow_vms(int system, unsigned count) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::max<rlim_t>(files.rlim_cur, count + 100);
  files.rlim_max = std::max(files.rlim_max, files.rlim_cur);
  must(t::Ret::of(::setrlimit(RLIMIT_NOFILE, &files)), "setrlimit");
  vmctl_info info{};
  if (::ioctl(system, VMCTL_GET_INFO, &info) != 0) return;
  for (const unsigned scope : {VMCTL_SCOPE_TOTAL, VMCTL_SCOPE_DEFAULT}) {
    vmctl_limits limits{};
    limits.scope = scope;
    limits.set = 1U << VMCTL_VMS;
    limits.limit[VMCTL_VMS] = VMCTL_UNLIMITED;
    must(t::Ret::of(::ioctl(system, VMCTL_SET_LIMITS, &limits)), "VMCTL_SET_LIMITS");
  }
}

// With so many VMs beside it.
Step create_vm_beside(const std::string& device, int others) {
  auto system = std::make_shared<t::Fd>(t::open_device(device));
  auto held = std::make_shared<std::vector<t::Fd>>();
  if (others > 0) allow_vms(*system, 2 * static_cast<unsigned>(others));
  for (int i = 0; i < others; ++i) {
    held->emplace_back(::ioctl(*system, KVM_CREATE_VM, 0));
    must(t::Ret::of(held->back()), "KVM_CREATE_VM");
  }
  return [system, held] {
    const std::uint64_t start = now();
    const int vm = ::ioctl(*system, KVM_CREATE_VM, 0);
    if (vm >= 0) ::close(vm);
    const std::uint64_t ticks = now() - start;
    must(t::Ret::of(vm), "KVM_CREATE_VM");
    return ticks;
  };
}

Step create_vm(const std::string& device) {
  return create_vm_beside(device, 0);
}

Step create_500th_vm(const std::string& device) {
  return create_vm_beside(device, 499);
}

Step create_vcpu(const std::string& device) {
  auto machine = machine_on(device, t::guest::halt());
  return [machine, id = 1UL]() mutable {
    const std::uint64_t start = now();
    const int cpu = ::ioctl(machine->vm, KVM_CREATE_VCPU, id++);
    const std::uint64_t ticks = now() - start;
    must(t::Ret::of(cpu), "KVM_CREATE_VCPU");
    ::close(cpu);
    return ticks;
  };
}

const Kind kKinds[] = {
    {"port-out exit", 2000, port_out},
    {"KVM_GET_REGS", 2000, get_regs},
    {"KVM_GET_API_VERSION", 2000, api_version},
    {"KVM_CREATE_VM and close", 30, create_vm},
    {"the 500th VM at once", 30, create_500th_vm},
    {"KVM_CREATE_VCPU", 60, create_vcpu},
};

}  // namespace

Cost cost_of(std::vector<std::uint64_t> ticks) {
  if (ticks.empty()) return {};
  std::sort(ticks.begin(), ticks.end());
  Cost cost{.median = ticks[ticks.size() / 2], .mode = ticks[0], .least = ticks[0]};
  std::size_t most = 0;
  for (auto first = ticks.begin(); first != ticks.end();) {
    const auto last = std::upper_bound(first, ticks.end(), *first);
    const auto count = static_cast<std::size_t>(last - first);
    if (count > most) {
      most = count;
      cost.mode = *first;
    }
    first = last;
  }
  return cost;
}

std::vector<Line> measure(const Devices& devices, unsigned scale) {
  std::vector<Line> lines;
  for (const Kind& kind : kKinds) {
    const Step raw = kind.prepare(devices.raw);
    const Step vmctl = kind.prepare(devices.vmctl);
    std::vector<std::uint64_t> raw_ticks;
    std::vector<std::uint64_t> vmctl_ticks;
    const std::size_t rounds = kind.rounds * scale;
    raw_ticks.reserve(rounds);
    vmctl_ticks.reserve(rounds);
    for (std::size_t i = 0; i < rounds; ++i) {
      raw_ticks.push_back(raw());
      vmctl_ticks.push_back(vmctl());
    }
    lines.push_back({kind.name, cost_of(raw_ticks), cost_of(vmctl_ticks), rounds});
  }
  return lines;
}

bool ticks_are_instructions() {
  constexpr std::uint64_t kTurns = 10000;
  std::uint64_t least = ~std::uint64_t{0};
  for (int i = 0; i < 5; ++i) {
    std::uint64_t turns = kTurns;
    const std::uint64_t start = now();
    asm volatile("1: dec %0\n\tjnz 1b" : "+r"(turns));
    least = std::min(least, now() - start);
  }
  return least >= 2 * kTurns && least <= 2 * kTurns + 20;
}

}  // namespace bench
