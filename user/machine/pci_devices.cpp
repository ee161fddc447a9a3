// SPDX-License-Identifier: GPL-2.0
#include "machine/pci_devices.hpp"

#include "dev/virtio/rng.hpp"
#include "machine/layout.hpp"

namespace vmctl {
namespace {

class RngPort final : public VirtioPort {
 public:
  VirtioDevice& device() override { return rng_; }

 private:
  VirtioRng rng_;
};

// A pin, which a board connects to an IOAPIC and to the 8259As: one of them is masked.
class Pin final : public InterruptLine {
 public:
  Pin(std::unique_ptr<InterruptLine> gsi, std::unique_ptr<InterruptLine> irq)
      : gsi_(std::move(gsi)), irq_(std::move(irq)) {}
  void set(bool level) override {
    gsi_->set(level);
    irq_->set(level);
  }

 private:
  std::unique_ptr<InterruptLine> gsi_;
  std::unique_ptr<InterruptLine> irq_;
};

}  // namespace

PciDevices::PciDevices(const Surroundings& surroundings)
    : surroundings_(surroundings),
      lines_(Interrupts::kLines),
      bus_(surroundings.address, static_cast<std::uint32_t>(layout::kPciMemory.base),
           static_cast<std::uint32_t>(layout::kPciMemory.size)) {
  if (surroundings.messages) msi_.emplace(surroundings.vm);
}

Result<std::unique_ptr<PciDevices>> PciDevices::build(const PciDevicesConfig& config,
                                                      const Surroundings& surroundings) {
  std::unique_ptr<PciDevices> devices(new PciDevices(surroundings));
  TRY(devices->bus_.add(devices->bridge_));
  for (std::size_t number = 0; number < config.disks.size(); ++number)
    TRY(devices->add([&](EventLoop&) { return open_disk(config.disks[number], number); }));
  if (config.console) {
    const MakeVirtioPort make = [&](EventLoop& loop) -> Result<std::unique_ptr<VirtioPort>> {
      auto channel = TRY(Console::open(*config.console, surroundings.ending));
      auto port = std::make_unique<ConsolePort>(std::move(channel), loop);
      devices->console_ = port.get();
      return port;
    };
    TRY(devices->add(make));
  }
  if (config.net) TRY(devices->add([&](EventLoop&) { return open_net(*config.net); }));
  for (const ShareSpec& share : config.shares)
    TRY(devices->add([&](EventLoop&) { return open_share(share); }));
  TRY(devices->add([](EventLoop&) -> Result<std::unique_ptr<VirtioPort>> {
    return std::make_unique<RngPort>();
  }));
  return devices;
}

Result<> PciDevices::add(const MakeVirtioPort& make) {
  const unsigned slot = bus_.next_slot();
  VirtioSlot::Place place{.vm = surroundings_.vm,
                          .memory = surroundings_.memory,
                          .msi = msi_ ? &*msi_ : nullptr,
                          .line = line(slot),
                          .irq = static_cast<std::uint8_t>(layout::pci_irq(slot, 0))};
  slots_.push_back(TRY(VirtioSlot::make(make, std::move(place), clock_)));
  return bus_.add(slots_.back()->function());
}

std::unique_ptr<InterruptLine> PciDevices::line(unsigned slot) {
  const auto end = [this](unsigned number) {
    auto& shared = lines_[number];
    if (!shared) shared = std::make_unique<SharedLine>(surroundings_.interrupts.line(number));
    return shared->end();
  };
  return std::make_unique<Pin>(end(layout::pci_gsi(slot, 0)), end(layout::pci_irq(slot, 0)));
}

Result<> PciDevices::place(Bus& ports, Bus& mmio) {
  using namespace layout;
  TRY(ports.claim(kConfigData.base, kConfigData.size, std::string(kConfigData.name), bus_.data(),
                  kUpToDwords));
  return mmio.claim(kPciMemory.base, kPciMemory.size, std::string(kPciMemory.name), bus_.window(),
                    kUpToDwords);
}

Result<> PciDevices::begin() {
  for (const auto& slot : slots_) TRY(slot->port().begin());
  return {};
}

bool PciDevices::may_interrupt() const {
  const Pic* pic = surroundings_.interrupts.pic();
  return pic == nullptr || pic->listens(layout::pci_irq(0, 0)) ||
         pic->listens(layout::pci_irq(1, 0));
}

void PciDevices::kick() {
  for (const auto& slot : slots_) slot->loop().kick();
}

void PciDevices::start(MachineControl& machine) {
  if (console_ != nullptr) console_->channel().start(machine);
}

std::string PciDevices::stop(std::string_view end) {
  for (const auto& slot : slots_) slot->loop().stop();
  return console_ != nullptr ? console_->channel().stop(end) : "";
}

}  // namespace vmctl
