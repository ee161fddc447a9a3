// SPDX-License-Identifier: GPL-2.0
#include "machine/virtio_slot.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace vmctl {

Result<std::unique_ptr<VirtioSlot>> VirtioSlot::make(const MakeVirtioPort& make, Place place,
                                                     const Clock& clock) {
  std::unique_ptr<VirtioSlot> slot(new VirtioSlot(clock));
  slot->port_ = TRY(make(slot->loop_));
  slot->connect(std::move(place));
  return slot;
}

void VirtioSlot::connect(Place place) {
  VirtioDevice& device = port_->device();
  line_ = std::move(place.line);
  const auto queues = static_cast<unsigned>(device.queue_sizes().size());
  VirtioPci::Wires wires{.intx = *line_, .irq = place.irq};
  for (unsigned index = 0; index < queues; ++index)
    wires.doorbells.push_back(
        std::make_unique<WakeDoorbell>(place.vm, loop_, [this, index] { pci_->serve(index); }));
  for (unsigned index = 0; place.msi != nullptr && index < queues + 1; ++index)
    wires.vectors.push_back(place.msi->vector());
  wires.on_broken = [this, &device](const Error& error) {
    // Once: a driver that does it again and again has nothing new to say.
    if (!std::exchange(told_, true))
      note(fmt::format("{}: {}; the guest must reset it", device.name(), error.text()));
  };
  pci_ = std::make_unique<VirtioPci>(device, place.memory, std::move(wires));
}

}  // namespace vmctl
