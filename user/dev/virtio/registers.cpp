// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/registers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

#include "base/bytes.hpp"
#include "dev/virtio/device.hpp"

namespace vmctl {
namespace {

// struct virtio_pci_common_cfg of 4.1.4.3.
struct [[gnu::packed]] Common {
  std::uint32_t device_feature_select;
  std::uint32_t device_feature;
  std::uint32_t driver_feature_select;
  std::uint32_t driver_feature;
  std::uint16_t config_msix_vector;
  std::uint16_t num_queues;
  std::uint8_t device_status;
  std::uint8_t config_generation;
  std::uint16_t queue_select;
  std::uint16_t queue_size;
  std::uint16_t queue_msix_vector;
  std::uint16_t queue_enable;
  std::uint16_t queue_notify_off;
  std::uint64_t queue_desc;
  std::uint64_t queue_driver;
  std::uint64_t queue_device;
  std::uint16_t queue_notify_data;
  std::uint16_t queue_reset;
};
static_assert(sizeof(Common) == VirtioRegisters::kSize);
static_assert(offsetof(Common, device_status) == VirtioRegisters::kStatusOffset);

// Where a field begins, and its width; 64 bits are written in halves (4.1.3.1).
std::size_t width_at(std::uint64_t offset) {
  if (offset < offsetof(Common, config_msix_vector)) return offset % 4 == 0 ? 4 : 0;
  if (offset == offsetof(Common, device_status)) return 1;
  if (offset >= offsetof(Common, queue_desc) && offset < offsetof(Common, queue_notify_data))
    return offset % 4 == 0 ? 4 : 0;
  return offset % 2 == 0 ? 2 : 0;
}

std::uint32_t half(std::uint64_t value, std::uint32_t which) {
  return which > 1 ? 0 : static_cast<std::uint32_t>(value >> 32 * which);
}

void set_half(std::uint64_t& value, std::uint32_t which, std::uint32_t part) {
  const unsigned shift = 32 * which;
  value = (value & ~(0xffffffffULL << shift)) | std::uint64_t{part} << shift;
}

}  // namespace

VirtioRegisters::VirtioRegisters(std::uint64_t offered, std::function<bool(std::uint64_t)> accepts,
                                 std::vector<std::uint16_t> sizes, std::size_t vectors)
    : offered_(offered | kVirtioVersion1 | kVirtioIndirect | kVirtioEventIndex),
      accepts_(std::move(accepts)),
      sizes_(std::move(sizes)),
      vectors_(vectors) {
  reset();
}

void VirtioRegisters::reset() {
  device_select_ = driver_select_ = 0;
  driver_features_ = unknown_features_ = 0;
  config_vector_ = kNoVector;
  queue_select_ = 0;
  status_ = 0;
  queues_.clear();
  for (const std::uint16_t size : sizes_) queues_.push_back({.size = size});
}

void VirtioRegisters::read(std::uint64_t offset, std::span<std::uint8_t> data) const {
  Common common{};
  common.device_feature_select = device_select_;
  common.device_feature = half(offered_, device_select_);
  common.driver_feature_select = driver_select_;
  common.driver_feature = half(driver_features_, driver_select_);
  common.config_msix_vector = config_vector_;
  common.num_queues = static_cast<std::uint16_t>(queues_.size());
  common.device_status = status_;
  common.config_generation = generation_;
  common.queue_select = queue_select_;
  if (queue_select_ < queues_.size()) {  // all zero: there is no such queue (4.1.4.3.1)
    const Queue& queue = queues_[queue_select_];
    common.queue_size = queue.size;
    common.queue_msix_vector = queue.vector;
    common.queue_enable = queue.enabled ? 1 : 0;
    common.queue_notify_off = queue_select_;
    common.queue_desc = queue.descriptors;
    common.queue_driver = queue.available;
    common.queue_device = queue.used;
  }
  std::array<std::uint8_t, kSize> bytes{};
  std::memcpy(bytes.data(), &common, sizeof common);
  std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), data.size(), data.begin());
}

std::uint16_t VirtioRegisters::vector_or_none(std::uint32_t value) const {
  return value < vectors_ ? static_cast<std::uint16_t>(value) : kNoVector;
}

VirtioRegisters::Act VirtioRegisters::write(std::uint64_t offset,
                                            std::span<const std::uint8_t> data) {
  if (data.size() != width_at(offset)) return Act::none;
  const auto value = static_cast<std::uint32_t>(little_endian(data));
  switch (offset) {
    case offsetof(Common, device_feature_select):
      device_select_ = value;
      break;
    case offsetof(Common, driver_feature_select):
      driver_select_ = value;
      break;
    case offsetof(Common, driver_feature):
      if ((status_ & kFeaturesOk) != 0) break;  // they are settled
      if (driver_select_ <= 1)
        set_half(driver_features_, driver_select_, value);
      else
        unknown_features_ |= value;
      break;
    case offsetof(Common, config_msix_vector):
      config_vector_ = vector_or_none(value);
      break;
    case offsetof(Common, device_status):
      return write_status(static_cast<std::uint8_t>(value));
    case offsetof(Common, queue_select):
      queue_select_ = static_cast<std::uint16_t>(value);
      break;
    default:
      write_queue(offset, value);
  }
  return Act::none;
}

bool VirtioRegisters::good_features() const {
  return unknown_features_ == 0 && (driver_features_ & ~offered_) == 0 &&
         (driver_features_ & kVirtioVersion1) != 0 && accepts_(driver_features_);
}

VirtioRegisters::Act VirtioRegisters::write_status(std::uint8_t value) {
  if (value == 0) {
    reset();
    return Act::stop;
  }
  // The driver must not clear a bit but by a reset (2.1.1), and NEEDS_RESET is the device's.
  std::uint8_t set = value & (kAcknowledge | kDriver | kDriverOk | kFeaturesOk | kFailed);
  set = static_cast<std::uint8_t>(set & ~status_);
  if ((set & kFeaturesOk) != 0 && !good_features())
    set = static_cast<std::uint8_t>(set & ~kFeaturesOk);  // refused (2.2)
  if ((set & kDriverOk) != 0 && ((status_ | set) & kFeaturesOk) == 0)
    set = static_cast<std::uint8_t>(set & ~kDriverOk);  // out of turn (3.1.1)
  status_ = static_cast<std::uint8_t>(status_ | set);
  return (set & kDriverOk) != 0 && (status_ & kNeedsReset) == 0 ? Act::start : Act::none;
}

void VirtioRegisters::write_queue(std::uint64_t offset, std::uint32_t value) {
  if (queue_select_ >= queues_.size()) return;
  Queue& queue = queues_[queue_select_];
  if (offset == offsetof(Common, queue_msix_vector)) queue.vector = vector_or_none(value);
  // A queue stays where it is until a reset (4.1.4.3.2), and none comes late (3.1.1).
  if (queue.enabled || driver_ok()) return;
  constexpr auto kDesc = offsetof(Common, queue_desc);
  constexpr auto kDriverArea = offsetof(Common, queue_driver);
  constexpr auto kDeviceArea = offsetof(Common, queue_device);
  switch (offset) {
    case offsetof(Common, queue_size):
      // A power of two, no more than there was (4.1.4.3.2).
      if (value != 0 && (value & (value - 1)) == 0 && value <= sizes_[queue_select_])
        queue.size = static_cast<std::uint16_t>(value);
      break;
    case offsetof(Common, queue_enable):
      queue.enabled = value == 1;
      break;
    case kDesc:
    case kDesc + 4:
      set_half(queue.descriptors, offset == kDesc ? 0 : 1, value);
      break;
    case kDriverArea:
    case kDriverArea + 4:
      set_half(queue.available, offset == kDriverArea ? 0 : 1, value);
      break;
    case kDeviceArea:
    case kDeviceArea + 4:
      set_half(queue.used, offset == kDeviceArea ? 0 : 1, value);
      break;
    default:
      break;
  }
}

}  // namespace vmctl
