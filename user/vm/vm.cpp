// SPDX-License-Identifier: GPL-2.0
#include "vm/vm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "kernel/ioctl.hpp"
#include "kernel/quota.hpp"

namespace vmctl {
Result<Vm> Vm::create(const Node& node, const VmOptions& options) {
  const auto run_size = call(node.fd(), ioc::get_vcpu_mmap_size);
  if (!run_size) return fail(explain(ioc::get_vcpu_mmap_size.name, run_size.error()));
  if (static_cast<std::size_t>(*run_size) < sizeof(kvm_run))
    return fail({.status = Status::unavailable,
                 .what = "cannot use the device",
                 .where = node.path(),
                 .why = fmt::format("its run page has {} bytes, {} are needed", *run_size,
                                    sizeof(kvm_run))});
  const auto run_bytes = static_cast<std::size_t>(*run_size);

  if (!node.is_vmctl()) {
    const auto fd = call(node.fd(), ioc::create_vm);
    if (!fd) return fail(explain_charged(ioc::create_vm.name, fd.error()));
    return Vm(Fd(*fd), 0, run_bytes);
  }
  vmctl_create_vm create{};
  create.flags = options.time_run ? VMCTL_VM_TIME_RUN : 0;
  std::copy_n(options.name.begin(), std::min(options.name.size(), sizeof create.name - 1),
              std::begin(create.name));
  const auto fd = call(node.fd(), ioc::vmctl_create_vm, create);
  if (!fd) return fail(explain_charged(ioc::vmctl_create_vm.name, fd.error()));
  return Vm(Fd(*fd), create.id, run_bytes);
}

Result<> Vm::place_kvm_pages(GuestAddr tss, GuestAddr identity_map) const {
  // The identity map first: KVM refuses it once there are vCPUs, and takes the TSS at any time.
  __u64 address = identity_map.value;
  if (auto done = call(fd_, ioc::set_identity_map_addr, address); !done)
    return fail(explain(ioc::set_identity_map_addr.name, done.error()));
  if (auto done = call(fd_, ioc::set_tss_addr, tss.value); !done)
    return fail(explain(ioc::set_tss_addr.name, done.error()));
  return {};
}

Result<> Vm::add_slot(std::uint32_t slot, const MemoryRegion& region, bool read_only) const {
  kvm_userspace_memory_region request{
      .slot = slot,
      .flags = read_only ? std::uint32_t{KVM_MEM_READONLY} : 0,
      .guest_phys_addr = region.gpa.value,
      .memory_size = region.bytes.size(),
      .userspace_addr = reinterpret_cast<std::uint64_t>(region.bytes.data())};
  auto done = call(fd_, ioc::set_user_memory_region, request);
  if (done) return {};
  Error error = explain_charged(ioc::set_user_memory_region.name, done.error());
  error.where = fmt::format("gpa {:#x}, {} bytes", region.gpa.value, region.bytes.size());
  if (done.error().code == EINVAL || done.error().code == ENOMEM) {
    error.status = Status::unavailable;
    error.advice = "more than KVM can give a guest here: give a smaller --mem";
  }
  return fail(std::move(error));
}

Result<> Vm::add_memory(const GuestMemory& memory, std::span<const MemoryRange> read_only) const {
  std::vector<MemoryRange> ranges(read_only.begin(), read_only.end());
  std::sort(ranges.begin(), ranges.end(),
            [](const MemoryRange& a, const MemoryRange& b) { return a.gpa < b.gpa; });
  std::uint32_t slot = 0;
  for (const MemoryRegion& region : memory.regions()) {
    MemoryRegion rest = region;
    const auto add = [&](std::uint64_t size, bool protect) -> Result<> {
      if (size == 0) return {};
      TRY(add_slot(slot++, {.gpa = rest.gpa, .bytes = rest.bytes.first(size)}, protect));
      rest = {.gpa = GuestAddr{rest.gpa.value + size}, .bytes = rest.bytes.subspan(size)};
      return {};
    };
    for (const MemoryRange& range : ranges) {
      if (range.gpa < rest.gpa || range.gpa.value - rest.gpa.value >= rest.bytes.size()) continue;
      TRY(add(range.gpa.value - rest.gpa.value, false));
      TRY(add(range.size, true));
    }
    TRY(add(rest.bytes.size(), false));
  }
  return {};
}

SysResult<Digest> Vm::load_image(const Fd& file, std::uint64_t offset, std::uint64_t length,
                                 GuestAddr gpa) const {
  vmctl_load_image load{};
  load.fd = file.get();
  load.offset = offset;
  load.length = length;
  load.gpa = gpa.value;
  if (auto done = call(fd_, ioc::vmctl_load_image, load); !done)
    return tl::unexpected<Errno>(done.error());
  return std::to_array(load.sha256);
}

Result<> Vm::create_irqchip() const {
  if (auto done = call(fd_, ioc::create_irqchip); !done)
    return fail(explain(ioc::create_irqchip.name, done.error()));
  return {};
}

Result<> Vm::create_pit() const {
  kvm_pit_config config{};
  config.flags = KVM_PIT_SPEAKER_DUMMY;
  if (auto done = call(fd_, ioc::create_pit2, config); !done)
    return fail(explain(ioc::create_pit2.name, done.error()));
  return {};
}

Result<> Vm::route_interrupts(std::span<const kvm_irq_routing_entry> routes) const {
  // The structure and the entries behind it, aligned as both need.
  std::vector<std::uint64_t> buffer(
      (sizeof(kvm_irq_routing) + routes.size_bytes()) / sizeof(std::uint64_t) + 1);
  auto* header = reinterpret_cast<kvm_irq_routing*>(buffer.data());
  header->nr = static_cast<__u32>(routes.size());
  std::memcpy(header + 1, routes.data(), routes.size_bytes());
  if (auto done = call(fd_, ioc::set_gsi_routing, *header); !done)
    return fail(explain(ioc::set_gsi_routing.name, done.error()));
  return {};
}

SysResult<int> Vm::raise_by(const Event& event, std::uint32_t gsi) const {
  kvm_irqfd request{};
  request.fd = static_cast<__u32>(event.fd());
  request.gsi = gsi;
  return call(fd_, ioc::irqfd, request);
}

SysResult<int> Vm::write_sets(const Event& event, GuestAddr address, bool on) const {
  kvm_ioeventfd request{};  // a length of 0 is any
  request.addr = address.value;
  request.fd = event.fd();
  request.flags = on ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN;
  return call(fd_, ioc::ioeventfd, request);
}

SysResult<int> Vm::set_irq_line(std::uint32_t irq, bool level) const {
  kvm_irq_level line{};
  line.irq = irq;
  line.level = level ? 1 : 0;
  return call(fd_, ioc::irq_line, line);
}

Result<> Vm::filter_msrs(MsrFilter& filter) const {
  kvm_enable_cap exits{};
  exits.cap = KVM_CAP_X86_USER_SPACE_MSR;
  exits.args[0] = KVM_MSR_EXIT_REASON_FILTER;
  if (auto done = call(fd_, ioc::enable_cap, exits); !done)
    return fail(explain("KVM_CAP_X86_USER_SPACE_MSR", done.error()));
  kvm_msr_filter request = filter.filter();
  if (auto done = call(fd_, ioc::set_msr_filter, request); !done)
    return fail(explain(ioc::set_msr_filter.name, done.error()));
  return {};
}

Result<Vcpu> Vm::create_vcpu(std::uint32_t id) const {
  const auto fd = call(fd_, ioc::create_vcpu, id);
  if (!fd) {
    Error error = explain_charged(ioc::create_vcpu.name, fd.error());
    error.where = fmt::format("vCPU {}", id);
    return fail(std::move(error));
  }
  Fd owned(*fd);
  Mapping run_page = TRY(Mapping::shared(owned, run_size_));
  return Vcpu(id, std::move(owned), std::move(run_page));
}

Result<vmctl_stats> Vm::stats() const {
  vmctl_stats stats{};
  stats.vcpu = VMCTL_ALL_VCPUS;
  if (auto done = call(fd_, ioc::vmctl_get_stats, stats); !done)
    return fail(explain(ioc::vmctl_get_stats.name, done.error()));
  return stats;
}

}  // namespace vmctl
