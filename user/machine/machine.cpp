// SPDX-License-Identifier: GPL-2.0
#include "machine/machine.hpp"

#include <fmt/format.h>
#include <linux/kvm.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "load/image.hpp"
#include "machine/loader.hpp"
#include "vm/real_mode.hpp"

namespace vmctl {
namespace {

void end_by_guest(Ending& ending, DebugExitStyle style, std::uint32_t value) {
  const auto [status, clamped] = debug_exit_status(style, value);
  ending.end({.kind = EndKind::debug_exit,
              .status = status,
              .reason = clamped
                            ? fmt::format("the guest ended with {} on the debug-exit port, more "
                                          "than a status holds: {} stands for it",
                                          value, status)
                            : fmt::format("the guest ended with {} on the debug-exit port", value),
              .details = ""});
}

Result<> check_cpus(const Node& node, std::uint32_t cpus) {
  const int max = node.capability(KVM_CAP_MAX_VCPUS);
  if (max <= 0 || cpus <= static_cast<std::uint32_t>(max)) return {};
  return fail({.status = Status::usage,
               .what = fmt::format("--cpus {}", cpus),
               .why = fmt::format("KVM gives a VM at most {} vCPUs here", max)});
}

}  // namespace

Machine::Machine(Node node, Vm vm, GuestMemory memory, DebugExitStyle debug_exit)
    : node_(std::move(node)),
      memory_(std::move(memory)),
      vm_(std::move(vm)),
      console_(STDOUT_FILENO, ending_),
      serial_(console_, no_line_),
      debug_exit_(
          [this, debug_exit](std::uint32_t value) { end_by_guest(ending_, debug_exit, value); }) {}

Result<> Machine::place_devices() {
  using namespace layout;
  TRY(ports_.claim(kDebugExit.base, kDebugExit.size, std::string(kDebugExit.name), debug_exit_));
  TRY(ports_.claim(kSerial.base, kSerial.size, std::string(kSerial.name), serial_));
  return {};
}

Result<std::unique_ptr<Machine>> Machine::build(const MachineConfig& config) {
  using namespace layout;

  // All that can be known without a VM comes before it.
  const Image image = TRY(Image::open(config.image));
  const std::uint64_t low_end = std::min(config.memory, kLowMemory.size);
  auto plan = plan_flat(config.flat, image.size(), low_end);
  if (!plan) {
    plan.error().where = image.path();
    return fail(std::move(plan.error()));
  }
  const RealModeEntry entry = TRY(real_mode_entry(plan->entry));

  Node node = TRY(Node::open(config.device));
  TRY(check_cpus(node, config.cpus));
  Vm vm = TRY(Vm::create(node, {.name = config.name, .time_run = config.time_run}));
  TRY(vm.place_kvm_pages(GuestAddr{kTss.base}, GuestAddr{kIdentityMap.base}));

  GuestMemory memory = TRY(
      GuestMemory::create(config.memory, GuestAddr{kLowMemory.size}, GuestAddr{kHighMemory.base}));
  TRY(vm.add_memory(memory));

  std::unique_ptr<Machine> machine(
      new Machine(std::move(node), std::move(vm), std::move(memory), config.debug_exit));
  TRY(machine->place_devices());

  for (const Segment& segment : plan->segments)
    machine->digest_ = TRY(load_segment(machine->vm_, machine->memory_, image, segment));

  for (std::uint32_t id = 0; id < config.cpus; ++id) {
    machine->vcpus_.push_back(TRY(machine->vm_.create_vcpu(id)));
    TRY(machine->vcpus_.back().reset(entry, config.registers));
  }
  return machine;
}

}  // namespace vmctl
