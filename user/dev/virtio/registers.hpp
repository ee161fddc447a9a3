// SPDX-License-Identifier: GPL-2.0
// The common configuration structure (virtio 1.2, 4.1.4.3): what the driver negotiates, where its
// queues are, and the device status (2.1). Registers alone: what follows from them is the
// transport's. A write that is none of a whole field, or that no rule allows, is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace vmctl {

class VirtioRegisters {
 public:
  static constexpr std::uint64_t kSize = 60;
  static constexpr std::uint64_t kStatusOffset = 20;
  static constexpr std::uint16_t kNoVector = 0xffff;  // 4.1.5.1.2

  enum Status : std::uint8_t {  // 2.1
    kAcknowledge = 1,
    kDriver = 2,
    kDriverOk = 4,
    kFeaturesOk = 8,
    kNeedsReset = 64,
    kFailed = 128,
  };

  struct Queue {
    std::uint16_t size = 0;
    std::uint16_t vector = kNoVector;
    bool enabled = false;
    std::uint64_t descriptors = 0;
    std::uint64_t available = 0;
    std::uint64_t used = 0;
  };

  // `accepts` says whether the device works with these, a part of `offered`. `sizes`: the most
  // that each queue holds. `vectors`: how many MSI-X has.
  VirtioRegisters(std::uint64_t offered, std::function<bool(std::uint64_t)> accepts,
                  std::vector<std::uint16_t> sizes, std::size_t vectors);

  // Within kSize.
  void read(std::uint64_t offset, std::span<std::uint8_t> data) const;
  // What the transport has to do: stop at a reset, start at DRIVER_OK.
  enum class Act : std::uint8_t { none, start, stop };
  Act write(std::uint64_t offset, std::span<const std::uint8_t> data);

  // The device is broken, until a reset (2.1.2).
  void set_needs_reset() { status_ |= kNeedsReset; }
  void next_generation() { ++generation_; }

  // DRIVER_OK is set: the driver is there to be told.
  bool driver_ok() const { return (status_ & kDriverOk) != 0; }
  std::uint64_t features() const { return driver_features_; }
  std::uint16_t config_vector() const { return config_vector_; }
  const std::vector<Queue>& queues() const { return queues_; }

 private:
  Act write_status(std::uint8_t value);
  void write_queue(std::uint64_t offset, std::uint32_t value);
  void reset();
  bool good_features() const;
  std::uint16_t vector_or_none(std::uint32_t value) const;

  const std::uint64_t offered_;
  const std::function<bool(std::uint64_t)> accepts_;
  const std::vector<std::uint16_t> sizes_;
  const std::size_t vectors_;

  std::uint32_t device_select_ = 0;
  std::uint32_t driver_select_ = 0;
  std::uint64_t driver_features_ = 0;
  std::uint64_t unknown_features_ = 0;  // words beyond the 64 bits that there are
  std::uint16_t config_vector_ = kNoVector;
  std::uint16_t queue_select_ = 0;
  std::uint8_t status_ = 0;
  std::uint8_t generation_ = 0;
  std::vector<Queue> queues_;
};

}  // namespace vmctl
