// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/pci.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::uint16_t kVendor = 0x1af4;      // 4.1.2
constexpr std::uint16_t kDeviceBase = 0x1040;  // 4.1.2.1
constexpr std::uint8_t kRevision = 1;
constexpr unsigned kRegistersBar = 0;
constexpr unsigned kMsixBar = 1;

// BAR 0. Doorbells have a page of their own, as KVM may take writes there away.
constexpr std::uint64_t kCommon = 0x0000;
constexpr std::uint64_t kIsr = 0x1000;
constexpr std::uint64_t kDeviceConfig = 0x2000;
constexpr std::uint64_t kNotify = 0x3000;
constexpr std::uint64_t kPart = 0x1000;
constexpr std::uint32_t kBarSize = 0x4000;
constexpr std::uint32_t kNotifyMultiplier = 4;

constexpr std::uint8_t kIsrQueue = 1;  // 4.1.4.5
constexpr std::uint8_t kIsrConfig = 2;

enum CapabilityType : std::uint8_t {  // 4.1.4
  kCommonCfg = 1,
  kNotifyCfg = 2,
  kIsrCfg = 3,
  kDeviceCfg = 4,
  kPciCfg = 5,
};
constexpr std::uint8_t kVendorSpecific = 0x09;

// struct virtio_pci_cap behind ID and pointer, and what two of them have behind that.
struct [[gnu::packed]] Capability {
  std::uint8_t length;
  std::uint8_t type;
  std::uint8_t bar;
  std::uint8_t id;
  std::uint8_t padding[2];
  std::uint32_t offset;
  std::uint32_t size;
  std::uint32_t more;  // notify_off_multiplier, pci_cfg_data
};
static_assert(sizeof(Capability) == 18);
constexpr std::size_t kHead = 2;
constexpr std::size_t kShort = sizeof(Capability) - sizeof(Capability::more);
constexpr std::size_t kAccessData = kHead + offsetof(Capability, more);

std::span<const std::uint8_t> bytes_of(const Capability& capability, std::size_t size) {
  return {reinterpret_cast<const std::uint8_t*>(&capability), size};
}

PciIdentity identity(const VirtioDevice& device) {
  const auto id = static_cast<std::uint16_t>(kDeviceBase + device.type());
  return {.vendor = kVendor,
          .device = id,
          .class_code = device.pci_class(),
          .revision = kRevision,
          .subsystem_vendor = kVendor,
          .subsystem = id};
}

}  // namespace

VirtioPci::VirtioPci(VirtioDevice& device, const GuestMemory& memory, Wires wires)
    : PciFunction(identity(device)),
      device_(device),
      memory_(memory),
      wires_(std::move(wires)),
      queues_(device.queue_sizes().size()),
      registers_(
          device.features(), [&device](std::uint64_t features) { return device.accepts(features); },
          device.queue_sizes(), wires_.vectors.size()),
      msix_(std::move(wires_.vectors)) {
  device_.attach(*this);
  add_bar(kRegistersBar, kBarSize, *this);
  config().set_interrupt(wires_.irq);
  if (msix_.size() > 0) {
    add_bar(kMsixBar, Msix::kSize, msix_);
    msix_at_ = config().add_capability(Msix::kCapability, msix_.body(kMsixBar), Msix::writable());
  }
  add_capabilities();
}

void VirtioPci::add_capabilities() {
  const auto add = [this](CapabilityType type, std::uint64_t offset, std::uint64_t size) {
    const Capability capability{.length = kHead + kShort,
                                .type = type,
                                .bar = kRegistersBar,
                                .offset = static_cast<std::uint32_t>(offset),
                                .size = static_cast<std::uint32_t>(size)};
    config().add_capability(kVendorSpecific, bytes_of(capability, kShort), {});
  };
  add(kCommonCfg, kCommon, VirtioRegisters::kSize);
  add(kIsrCfg, kIsr, 1);
  if (device_.config_size() > 0) add(kDeviceCfg, kDeviceConfig, device_.config_size());

  const Capability notify{.length = kHead + sizeof notify,
                          .type = kNotifyCfg,
                          .bar = kRegistersBar,
                          .offset = kNotify,
                          .size = static_cast<std::uint32_t>(queues_.size() * kNotifyMultiplier),
                          .more = kNotifyMultiplier};
  config().add_capability(kVendorSpecific, bytes_of(notify, sizeof notify), {});

  const Capability access{.length = kHead + sizeof access, .type = kPciCfg};
  const Capability writable{.bar = 0xff, .offset = ~0U, .size = ~0U, .more = ~0U};
  access_at_ = config().add_capability(kVendorSpecific, bytes_of(access, sizeof access),
                                       bytes_of(writable, sizeof writable));
}

std::optional<VirtioPci::Access> VirtioPci::selected_access() {
  Capability access;
  config().read(access_at_ + kHead, {reinterpret_cast<std::uint8_t*>(&access), sizeof access});
  const std::uint32_t length = access.size;
  if (access.bar >= PciConfig::kBars || bar(access.bar) == nullptr ||
      (length != 1 && length != 2 && length != 4) || access.offset % length != 0 ||
      access.offset >= config().bar_size(access.bar))
    return std::nullopt;
  return Access{bar(access.bar), access.offset, length};
}

bool VirtioPci::touches_access_data(std::size_t offset, std::size_t size) const {
  const std::size_t data = access_at_ + kAccessData;
  return offset < data + sizeof(std::uint32_t) && data < offset + size;
}

void VirtioPci::read_config(std::size_t offset, std::span<std::uint8_t> data) {
  if (touches_access_data(offset, data.size()))
    if (const auto access = selected_access()) {
      std::array<std::uint8_t, 4> bytes{};
      const auto part = std::span(bytes).first(access->length);
      access->device->read(access->offset, part);
      config().write(access_at_ + kAccessData, part);
    }
  config().read(offset, data);
  constexpr std::size_t kStatus = 0x06;
  constexpr std::uint8_t kInterruptStatus = 1U << 3;  // PCI 3.0, 6.2.3
  const std::lock_guard guard(registers_lock_);
  if (isr_ != 0 && offset <= kStatus && kStatus - offset < data.size())
    data[kStatus - offset] |= kInterruptStatus;
}

void VirtioPci::write_config(std::size_t offset, std::span<const std::uint8_t> data) {
  PciFunction::write_config(offset, data);
  if (!touches_access_data(offset, data.size())) return;
  const auto access = selected_access();
  if (!access) return;
  std::array<std::uint8_t, 4> bytes{};
  const auto part = std::span(bytes).first(access->length);
  config().read(access_at_ + kAccessData, part);
  access->device->write(access->offset, part);
}

void VirtioPci::config_changed() {
  if (msix_at_ != 0) msix_.set_control(config().word(msix_at_ + kHead));
  const auto base = config().bar_address(kRegistersBar);
  for (std::size_t index = 0; index < wires_.doorbells.size(); ++index)
    wires_.doorbells[index]->place(
        base ? std::optional(GuestAddr{*base + kNotify + index * kNotifyMultiplier})
             : std::nullopt);
  const std::lock_guard guard(registers_lock_);
  intx_disabled_ = config().intx_disabled();
  set_line();
}

void VirtioPci::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  std::fill(data.begin(), data.end(), std::uint8_t{0});
  const std::uint64_t within = offset % kPart;
  const std::lock_guard guard(registers_lock_);
  switch (offset - within) {
    case kCommon:
      if (within + data.size() <= VirtioRegisters::kSize) registers_.read(within, data);
      break;
    case kIsr:
      if (within != 0) break;
      data[0] = isr_;  // which reading clears (4.1.4.5.1)
      isr_ = 0;
      set_line();
      break;
    case kDeviceConfig:
      device_.read_config(within, data);
      break;
    default:
      break;
  }
}

void VirtioPci::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  const std::uint64_t within = offset % kPart;
  switch (offset - within) {
    case kCommon: {
      if (within == VirtioRegisters::kStatusOffset) {
        const std::lock_guard running(running_);
        write_status(data);
        break;
      }
      const std::lock_guard guard(registers_lock_);
      registers_.write(within, data);
      break;
    }
    case kDeviceConfig: {
      const std::lock_guard guard(registers_lock_);
      device_.write_config(within, data);
      break;
    }
    case kNotify:  // where is enough to know which queue (4.1.5.2)
      if (within / kNotifyMultiplier < wires_.doorbells.size())
        wires_.doorbells[within / kNotifyMultiplier]->ring();
      break;
    default:
      break;
  }
}

void VirtioPci::write_status(std::span<const std::uint8_t> data) {
  auto act = VirtioRegisters::Act::none;
  {
    const std::lock_guard guard(registers_lock_);
    act = registers_.write(VirtioRegisters::kStatusOffset, data);
    if (act == VirtioRegisters::Act::stop) {
      isr_ = 0;
      set_line();
    }
  }
  if (act == VirtioRegisters::Act::start) start();
  if (act == VirtioRegisters::Act::stop) stop();
}

void VirtioPci::start() {
  std::vector<VirtioRegisters::Queue> places;
  {
    const std::lock_guard guard(registers_lock_);
    places = registers_.queues();
    features_ = registers_.features();
  }
  live_ = true;
  for (std::size_t index = 0; index < places.size(); ++index) {
    const VirtioRegisters::Queue& place = places[index];
    if (!place.enabled) continue;
    auto queue = Virtqueue::make(memory_, {.size = place.size,
                                           .descriptors = GuestAddr{place.descriptors},
                                           .available = GuestAddr{place.available},
                                           .used = GuestAddr{place.used},
                                           .indirect = (features_ & kVirtioIndirect) != 0,
                                           .event_index = (features_ & kVirtioEventIndex) != 0});
    if (!queue) return broken(queue.error());
    queues_[index] = *queue;
  }
  device_.start();
  for (std::size_t index = 0; index < queues_.size(); ++index) {
    if (!queues_[index]) continue;
    wires_.doorbells[index]->listen(true);
    wires_.doorbells[index]->ring();  // for what came before
  }
}

void VirtioPci::stop() {
  if (!live_) return;
  live_ = false;
  device_.stop();
  for (std::size_t index = 0; index < queues_.size(); ++index) {
    if (queues_[index]) wires_.doorbells[index]->listen(false);
    queues_[index].reset();
  }
}

void VirtioPci::broken(const Error& error) {
  stop();
  {
    const std::lock_guard guard(registers_lock_);
    registers_.set_needs_reset();  // 2.1.2, and a notification of it
    raise(registers_.config_vector(), kIsrConfig);
  }
  if (wires_.on_broken) wires_.on_broken(error);
}

void VirtioPci::serve(unsigned index) {
  const std::lock_guard running(running_);
  if (!live_ || !queues_[index]) return;
  if (const auto done = device_.serve(index); !done) broken(done.error());
}

bool VirtioPci::with_queues(const std::function<Result<>()>& act) {
  const std::lock_guard running(running_);
  if (!live_) return false;
  if (const auto done = act(); !done) broken(done.error());
  return true;
}

Virtqueue* VirtioPci::queue(unsigned index) {
  return index < queues_.size() && queues_[index] ? &*queues_[index] : nullptr;
}

void VirtioPci::interrupt(unsigned index) {
  Virtqueue* used = queue(index);
  if (used == nullptr || !used->wants_interrupt()) return;
  const std::lock_guard guard(registers_lock_);
  raise(registers_.queues()[index].vector, kIsrQueue);
}

void VirtioPci::update_config(const std::function<void()>& act) {
  const std::lock_guard guard(registers_lock_);
  act();
  registers_.next_generation();
  if (registers_.driver_ok()) raise(registers_.config_vector(), kIsrConfig);
}

void VirtioPci::raise(std::uint16_t vector, std::uint8_t isr) {
  if (msix_.enabled()) {
    msix_.raise(vector);
    return;
  }
  isr_ = static_cast<std::uint8_t>(isr_ | isr);
  set_line();
}

void VirtioPci::set_line() {
  const bool level = isr_ != 0 && !intx_disabled_ && !msix_.enabled();
  if (level == line_) return;
  line_ = level;
  wires_.intx.set(level);
}

}  // namespace vmctl
