// SPDX-License-Identifier: GPL-2.0
#include "machine/machine.hpp"

#include <fmt/format.h>
#include "kernel/kvm.hpp"

#include <algorithm>
#include <utility>

#include "machine/platform.hpp"
#include "machine/start.hpp"
#include "vm/topology.hpp"

namespace vmctl {
namespace {

Result<> check_cpus(const Node& node, std::uint32_t cpus) {
  const int max = node.capability(KVM_CAP_MAX_VCPUS);
  if (max <= 0 || cpus <= static_cast<std::uint32_t>(max)) return {};
  return fail({.status = Status::usage,
               .what = fmt::format("--cpus {}", cpus),
               .why = fmt::format("KVM gives a VM at most {} vCPUs here", max)});
}

Result<> check_msrs(const Node& node, const std::vector<MsrRule>& msrs) {
  if (msrs.empty() || (node.capability(KVM_CAP_X86_USER_SPACE_MSR) > 0 &&
                       node.capability(KVM_CAP_X86_MSR_FILTER) > 0))
    return {};
  return fail(
      {.status = Status::unavailable,
       .what = "--msr",
       .why = fmt::format("the KVM behind {} cannot filter MSRs (Linux 5.10 can)", node.path())});
}

Result<> check_irqchip(const MachineConfig& config, Irqchip irqchip, bool flat) {
  if (flat || irqchip == Irqchip::kernel || config.cpus == 1) return {};
  return fail({.status = Status::usage,
               .what = fmt::format("--irqchip none and --cpus {}", config.cpus),
               .why = "only flat images start on all vCPUs; others wake them through local APICs",
               .advice = "leave --irqchip out, or --cpus"});
}

}  // namespace

Machine::Machine(Node node, Vm vm, GuestMemory memory, std::vector<MsrRule> msrs, Outside& outside)
    : outside_(outside),
      node_(std::move(node)),
      memory_(std::move(memory)),
      vm_(std::move(vm)),
      msrs_(std::move(msrs)) {}

Result<> Machine::add_vcpus(const MachineConfig& config, const Entry& entry, Irqchip irqchip,
                            Cpuid cpuid) {
  shape_topology(cpuid, config.cpus);
  for (std::uint32_t id = 0; id < config.cpus; ++id) {
    vcpus_.push_back(TRY(vm_.create_vcpu(id)));
    if (id == 0)
      if (const auto khz = vcpus_.back().tsc_khz()) tell_frequencies(cpuid, *khz);
    number_cpuid(cpuid, id, config.cpus);
    Cpuid own = cpuid;
    apply_cpuid(own, config.cpuid);
    TRY(vcpus_.back().set_cpuid(own));
    if (irqchip == Irqchip::kernel) {
      TRY(vcpus_.back().connect_local_apic());
      vcpus_.back().set_memory_types(layout::kLowMemory.size, address_bits(cpuid));
    }
    TRY(start_vcpu(vcpus_.back(), entry, config.registers));
  }
  return {};
}

Result<> Machine::add_pci(const MachineConfig& config, Irqchip irqchip, bool flat) {
  PciDevicesConfig pci = config.pci;
  pci.always |= !flat;
  if (!pci.wanted()) return {};
  pci_ = TRY(PciDevices::build(
      pci, {.vm = vm_,
            .memory = memory_,
            .interrupts = devices_->interrupts(),
            .address = devices_->config_address(),
            .ending = ending(),
            .messages = irqchip == Irqchip::kernel && node_.capability(KVM_CAP_IRQFD) > 0 &&
                        node_.capability(KVM_CAP_IRQ_ROUTING) > 0}));
  return pci_->place(ports_, mmio_);
}

Result<std::unique_ptr<Machine>> Machine::build(const MachineConfig& config, Outside& outside) {
  using namespace layout;

  // All that can be known without a VM comes before it.
  const Boot boot = TRY(Boot::prepare(config.boot));
  const Entry& entry = boot.plan().entry;
  TRY(check_entry(entry));
  const bool flat = boot.plan().format == Format::flat;
  const Irqchip irqchip = config.irqchip.value_or(flat ? Irqchip::none : Irqchip::kernel);
  TRY(check_irqchip(config, irqchip, flat));

  Node node = TRY(Node::open(config.device));
  TRY(check_cpus(node, config.cpus));
  TRY(check_msrs(node, config.msrs));
  MsrFilter filter = TRY(MsrFilter::build(config.msrs));
  Vm vm = TRY(Vm::create(node, {.name = config.name, .time_run = config.time_run}));
  TRY(vm.place_kvm_pages(GuestAddr{kTss.base}, GuestAddr{kIdentityMap.base}));

  GuestMemory memory = TRY(GuestMemory::create(boot.memory_size(), GuestAddr{kLowMemory.size},
                                               GuestAddr{kHighMemory.base}));
  TRY(vm.add_memory(memory, boot.read_only()));

  Cpuid cpuid = TRY(supported_cpuid(node));
  adapt_cpuid(cpuid, {.local_apics = irqchip == Irqchip::kernel,
                      .tsc_deadline = node.capability(KVM_CAP_TSC_DEADLINE_TIMER) > 0});
  if (irqchip == Irqchip::kernel) {
    TRY(vm.create_irqchip());
    TRY(vm.route_interrupts(pc_irq_routes()));
    TRY(vm.create_pit());
  }
  if (!config.msrs.empty()) TRY(vm.filter_msrs(filter));

  std::unique_ptr<Machine> machine(
      new Machine(std::move(node), std::move(vm), std::move(memory), config.msrs, outside));
  machine->flat_ = flat;
  DevicesConfig devices = config.devices;
  devices.irqchip = irqchip;
  const std::uint64_t below_4g = machine->memory_.low_end();
  machine->devices_ =
      TRY(Devices::build(devices, {.below_4g = below_4g, .above_4g = boot.memory_size() - below_4g},
                         machine->vm_, outside, file_id(boot.image().fd().get())));
  TRY(machine->devices_->place(machine->ports_));
  TRY(machine->add_pci(config, irqchip, flat));

  // What an image puts in its place replaces it.
  if (below_4g >= firmware::kAreaEnd.value) {
    const auto firmware = TRY(firmware::build(describe_platform(devices, config.cpus, cpuid)));
    TRY(write_firmware(machine->memory_, firmware));
  }
  machine->digest_ = TRY(boot.load(machine->vm_, machine->memory_));
  TRY(machine->add_vcpus(config, entry, irqchip, std::move(cpuid)));
  TRY(outside.begin());
  if (machine->pci_) TRY(machine->pci_->begin());
  return machine;
}

Console& Machine::console() {
  Console& serial = devices_->console();
  return serial.is_none() && pci_ && pci_->console() != nullptr ? pci_->console()->channel()
                                                                : serial;
}

bool Machine::spoken() const {
  return devices_->spoken() || (pci_ && pci_->spoken());
}

}  // namespace vmctl
