// SPDX-License-Identifier: GPL-2.0
// A virtio device (virtio 1.2) as its transport sees it, and the transport as the device sees it.
//
// A device has a thread of its own, on which it serves its queues and takes what comes from
// outside; vCPUs only ring doorbells. While the driver has not set DRIVER_OK, and from a reset or
// an error on, nothing of the device runs: serve() and the act of with_queues() run one at a time,
// and never at the same time as start() and stop(), which come from the driver's thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "dev/virtio/queue.hpp"

namespace vmctl {

// Feature bits that are not of one device's (6).
inline constexpr std::uint64_t kVirtioIndirect = 1ULL << 28;
inline constexpr std::uint64_t kVirtioEventIndex = 1ULL << 29;
inline constexpr std::uint64_t kVirtioVersion1 = 1ULL << 32;

// What a transport does for its device.
class VirtioTransport {
 public:
  VirtioTransport() = default;
  VirtioTransport(const VirtioTransport&) = delete;
  VirtioTransport& operator=(const VirtioTransport&) = delete;
  virtual ~VirtioTransport() = default;

  // From start() to stop(), in serve(), start() and the act of with_queues(): what was negotiated,
  // and a queue; none where the driver has not enabled it.
  virtual std::uint64_t features() const = 0;
  virtual Virtqueue* queue(unsigned index) = 0;
  // Interrupts the driver if it wants that for what was pushed to this queue.
  virtual void interrupt(unsigned index) = 0;
  // Has serve(index) called again, after others had their turn.
  virtual void again(unsigned index) = 0;

  // From the device's thread, for what comes from outside: runs `act` if there is a driver; an
  // error in it means that the device needs a reset. False if there is no driver.
  virtual bool with_queues(const std::function<Result<>()>& act) = 0;
  // From any thread, outside of all these: `act` changes what read_config() shows, and the driver
  // is told.
  virtual void update_config(const std::function<void()>& act) = 0;
};

class VirtioDevice {
 public:
  VirtioDevice() = default;
  VirtioDevice(const VirtioDevice&) = delete;
  VirtioDevice& operator=(const VirtioDevice&) = delete;
  virtual ~VirtioDevice() = default;

  // 5: 1 is a network card. And its class code, subclass and interface for PCI (PCI Code and ID
  // Assignment), 0x020000.
  virtual std::uint16_t type() const = 0;
  virtual std::uint32_t pci_class() const = 0;
  virtual std::string_view name() const = 0;

  // Its own feature bits (0 to 23, 50 and up): those of rings are the transport's.
  virtual std::uint64_t features() const = 0;
  // Whether it works with these (of those alone that are offered); FEATURES_OK says so (2.2).
  virtual bool accepts(std::uint64_t /*features*/) const { return true; }
  // The most that each queue holds; powers of two.
  virtual std::vector<std::uint16_t> queue_sizes() const = 0;

  // Device configuration space (2.5), at most 4 KiB; 0: there is none. Offset and size of accesses
  // are the guest's: what is not there reads as zeros, which `data` is filled with. From any vCPU;
  // not at the same time as update_config().
  virtual std::uint32_t config_size() const { return 0; }
  virtual void read_config(std::uint64_t /*offset*/, std::span<std::uint8_t> /*data*/) const {}
  virtual void write_config(std::uint64_t /*offset*/, std::span<const std::uint8_t> /*data*/) {}

  // Once, before all else that follows. The transport outlives its use.
  void attach(VirtioTransport& transport) { transport_ = &transport; }

  // DRIVER_OK; queues were already made.
  virtual void start() {}
  // The driver has reset the device, or it needs a reset: back to what it was before start().
  virtual void stop() {}
  // The driver has put something into this queue, or may have. An error: it needs a reset.
  virtual Result<> serve(unsigned index) = 0;

 protected:
  VirtioTransport& transport() const { return *transport_; }

  // For serve(): gives each chain in the queue to handle(chain), a Result of the bytes written, and
  // back to the driver. As many as the queue holds, so that others get their turn; then again().
  template <class Handle>
  Result<> serve_each(unsigned index, Chain& chain, Handle handle) {
    Virtqueue* queue = transport().queue(index);
    if (queue == nullptr) return {};
    queue->mute();
    for (std::uint32_t left = queue->size(); left > 0; --left) {
      if (!TRY(queue->pop(chain))) {
        if (!queue->listen()) return {};
        queue->mute();
        continue;
      }
      queue->push(chain, TRY(handle(chain)));
      transport().interrupt(index);
    }
    transport().again(index);
    return {};
  }

 private:
  VirtioTransport* transport_ = nullptr;
};

// For read_config(): what of `whole` lies at the offset.
inline void copy_config(std::span<const std::uint8_t> whole, std::uint64_t offset,
                        std::span<std::uint8_t> data) {
  if (offset >= whole.size()) return;
  const auto rest = whole.subspan(static_cast<std::size_t>(offset));
  std::copy_n(rest.begin(), std::min(rest.size(), data.size()), data.begin());
}

}  // namespace vmctl
