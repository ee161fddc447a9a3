// SPDX-License-Identifier: GPL-2.0
// A virtio device in its slot, with what is behind it and the thread on which it works; that starts
// when a driver first does.
#pragma once

#include <functional>
#include <memory>

#include "dev/virtio/device.hpp"
#include "dev/virtio/pci.hpp"
#include "machine/msi_routes.hpp"
#include "machine/wake_doorbell.hpp"
#include "run/event_loop.hpp"

namespace vmctl {

// A device and what it is connected to outside, as a file or a channel.
class VirtioPort {
 public:
  VirtioPort() = default;
  VirtioPort(const VirtioPort&) = delete;
  VirtioPort& operator=(const VirtioPort&) = delete;
  virtual ~VirtioPort() = default;

  virtual VirtioDevice& device() = 0;
  // When nothing else can fail, and before any thread runs.
  virtual Result<> begin() { return {}; }
  // Before the transport goes: no thread of its own uses that when this returns, or ever after.
  virtual void stop() {}
};

// Makes one whose handlers run on the loop, which outlives it; stopped before it goes.
using MakeVirtioPort = std::function<Result<std::unique_ptr<VirtioPort>>(EventLoop&)>;

class VirtioSlot {
 public:
  struct Place {
    const Vm& vm;
    const GuestMemory& memory;
    MsiRoutes* msi;  // none: the device has INTx alone
    std::unique_ptr<InterruptLine> line;
    std::uint8_t irq;
  };
  // All that is referred to must outlive it.
  static Result<std::unique_ptr<VirtioSlot>> make(const MakeVirtioPort& make, Place place,
                                                  const Clock& clock);
  ~VirtioSlot() {
    if (port_) port_->stop();
    loop_.stop();
  }
  VirtioSlot(const VirtioSlot&) = delete;
  VirtioSlot& operator=(const VirtioSlot&) = delete;

  PciFunction& function() { return *pci_; }
  VirtioPort& port() { return *port_; }
  EventLoop& loop() { return loop_; }

 private:
  explicit VirtioSlot(const Clock& clock) : loop_(clock) {}
  void connect(Place place);

  EventLoop loop_;
  std::unique_ptr<VirtioPort> port_;
  std::unique_ptr<InterruptLine> line_;
  std::unique_ptr<VirtioPci> pci_;
  bool told_ = false;  // that the driver broke a rule; with the device's lock held
};

}  // namespace vmctl
