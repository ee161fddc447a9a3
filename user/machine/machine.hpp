// SPDX-License-Identifier: GPL-2.0
// A machine: KVM's VM, its memory with the image in it, its vCPUs and its devices. It is built
// paused; a Runner lets it go.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bus/bus.hpp"
#include "bus/memory.hpp"
#include "kernel/node.hpp"
#include "load/plan.hpp"
#include "machine/boot.hpp"
#include "machine/devices.hpp"
#include "machine/layout.hpp"
#include "machine/pci_devices.hpp"
#include "run/ending.hpp"
#include "vm/cpuid.hpp"
#include "vm/msr.hpp"
#include "vm/registers.hpp"
#include "vm/vcpu.hpp"
#include "vm/vm.hpp"

namespace vmctl {

struct MachineConfig {
  BootConfig boot;
  std::vector<RegisterValue> registers;
  std::uint32_t cpus = 1;
  std::string device = kVmctlPath;
  std::string name;
  bool time_run = false;
  std::vector<CpuidValue> cpuid;
  std::vector<MsrRule> msrs;
  // Nothing: none of KVM's for flat images, KVM's own for all others.
  std::optional<Irqchip> irqchip;
  DevicesConfig devices;
  PciDevicesConfig pci;
};

class Machine {
 public:
  // `outside` must outlive it, stopped or paused.
  static Result<std::unique_ptr<Machine>> build(const MachineConfig& config, Outside& outside);

  const Vm& vm() const { return vm_; }
  const GuestMemory& memory() const { return memory_; }
  const std::vector<Vcpu>& vcpus() const { return vcpus_; }
  // SHA-256 of the image; raw KVM measures nothing.
  const std::optional<Digest>& digest() const { return digest_; }

  const Bus& ports() const { return ports_; }
  const Bus& mmio() const { return mmio_; }
  Devices& devices() { return *devices_; }
  // None where nothing on it was asked for.
  PciDevices* pci() { return pci_.get(); }
  // Whether its image is a flat binary.
  bool flat() const { return flat_; }
  // What people attach to: the first serial port's far end; where that is none, the virtio
  // console's if there is one.
  Console& console();
  // Whether the guest has said anything on any console.
  bool spoken() const;
  Msrs& msrs() { return msrs_; }
  Outside& outside() { return outside_; }
  Ending& ending() { return outside_.ending(); }

 private:
  Machine(Node node, Vm vm, GuestMemory memory, std::vector<MsrRule> msrs, Outside& outside);
  Result<> add_pci(const MachineConfig& config, Irqchip irqchip, bool flat);
  Result<> add_vcpus(const MachineConfig& config, const Entry& entry, Irqchip irqchip, Cpuid cpuid);

  Outside& outside_;
  // In the order of their making; the last one made goes first.
  Node node_;
  GuestMemory memory_;
  Vm vm_;
  std::vector<Vcpu> vcpus_;
  std::optional<Digest> digest_;
  bool flat_ = false;
  Msrs msrs_;
  std::unique_ptr<Devices> devices_;
  std::unique_ptr<PciDevices> pci_;
  Bus ports_;
  Bus mmio_;
};

}  // namespace vmctl
