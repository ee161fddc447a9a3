// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/registers.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "dev/virtio/device.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kOwn = 1ULL << 5 | 1ULL << 9 | 1ULL << 50;
using Act = VirtioRegisters::Act;

// Offsets of 4.1.4.3.
enum At : std::uint64_t {
  kDeviceSelect = 0,
  kDeviceFeature = 4,
  kDriverSelect = 8,
  kDriverFeature = 12,
  kConfigVector = 16,
  kQueues = 18,
  kStatus = 20,
  kGeneration = 21,
  kQueueSelect = 22,
  kQueueSize = 24,
  kQueueVector = 26,
  kQueueEnable = 28,
  kNotifyOffset = 30,
  kDescriptors = 32,
  kAvailable = 40,
  kUsed = 48,
};

class RegistersTest : public testing::Test {
 protected:
  template <class T>
  T get(std::uint64_t offset) {
    std::array<std::uint8_t, sizeof(T)> bytes{};
    registers.read(offset, bytes);
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  template <class T>
  Act put(std::uint64_t offset, T value) {
    std::array<std::uint8_t, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    return registers.write(offset, bytes);
  }
  std::uint8_t status() { return get<std::uint8_t>(kStatus); }
  Act set_status(unsigned value) { return put(kStatus, static_cast<std::uint8_t>(value)); }
  void accept(std::uint64_t features) {
    for (std::uint32_t half = 0; half < 2; ++half) {
      put(kDriverSelect, half);
      put(kDriverFeature, static_cast<std::uint32_t>(features >> 32 * half));
    }
  }
  std::uint64_t refused = 0;
  VirtioRegisters registers{
      kOwn, [this](std::uint64_t features) { return (features & refused) == 0; }, {256, 16}, 3};
};

TEST_F(RegistersTest, OffersFeaturesInHalves) {
  put(kDeviceSelect, 0U);
  std::uint64_t offered = get<std::uint32_t>(kDeviceFeature);
  put(kDeviceSelect, 1U);
  offered |= std::uint64_t{get<std::uint32_t>(kDeviceFeature)} << 32;
  EXPECT_EQ(offered, kOwn | kVirtioVersion1 | kVirtioIndirect | kVirtioEventIndex);
  put(kDeviceSelect, 2U);
  EXPECT_EQ(get<std::uint32_t>(kDeviceFeature), 0U);
  EXPECT_EQ(get<std::uint32_t>(kDeviceSelect), 2U);
}

TEST_F(RegistersTest, TakesAPartOfThem) {
  accept(kVirtioVersion1 | 1U << 5);
  EXPECT_EQ(get<std::uint32_t>(kDriverFeature), 1U);
  EXPECT_EQ(set_status(1 | 2 | 8), Act::none);
  EXPECT_EQ(status(), 1 | 2 | 8);
  EXPECT_EQ(registers.features(), kVirtioVersion1 | 1U << 5);
  accept(kVirtioVersion1);
  EXPECT_EQ(registers.features(), kVirtioVersion1 | 1U << 5) << "they are settled";
}

TEST_F(RegistersTest, RefusesFeatures) {
  const auto ok = [this](std::uint64_t features) {
    set_status(0);
    accept(features);
    set_status(1 | 2 | 8);
    return (status() & 8) != 0;
  };
  EXPECT_TRUE(ok(kVirtioVersion1));
  EXPECT_FALSE(ok(1U << 5)) << "a legacy driver";
  EXPECT_FALSE(ok(kVirtioVersion1 | 1U << 6)) << "not offered";
  EXPECT_FALSE(ok(kVirtioVersion1 | 1ULL << 63)) << "not offered";
  refused = 1U << 9;
  EXPECT_FALSE(ok(kVirtioVersion1 | 1U << 9)) << "the device does not work with it";
  set_status(0);
  accept(kVirtioVersion1);
  put(kDriverSelect, 2U);
  put(kDriverFeature, 1U);
  set_status(8);
  EXPECT_EQ(status(), 0) << "a bit that there is not";
}

TEST_F(RegistersTest, TheStatusGrowsUntilAReset) {
  accept(kVirtioVersion1);
  set_status(1);
  set_status(2);
  EXPECT_EQ(status(), 3);
  EXPECT_EQ(set_status(4), Act::none);
  EXPECT_EQ(status(), 3) << "DRIVER_OK without FEATURES_OK";
  set_status(8);
  EXPECT_EQ(set_status(1 | 2 | 4 | 8), Act::start);
  EXPECT_EQ(set_status(1 | 2 | 4 | 8), Act::none) << "once";
  EXPECT_TRUE(registers.driver_ok());
  set_status(64 | 16 | 32);
  EXPECT_EQ(status(), 15) << "not the driver's to set";
  set_status(128);
  EXPECT_EQ(status(), 143);
  EXPECT_EQ(set_status(0), Act::stop);
  EXPECT_EQ(status(), 0);
  EXPECT_FALSE(registers.driver_ok());
}

TEST_F(RegistersTest, ABrokenDeviceDoesNotStart) {
  accept(kVirtioVersion1);
  registers.set_needs_reset();
  EXPECT_EQ(status(), 64);
  EXPECT_EQ(set_status(15), Act::none);
  set_status(0);
  EXPECT_EQ(status(), 0);
}

TEST_F(RegistersTest, HasQueuesToSelect) {
  EXPECT_EQ(get<std::uint16_t>(kQueues), 2);
  EXPECT_EQ(get<std::uint16_t>(kQueueSize), 256);
  EXPECT_EQ(get<std::uint16_t>(kNotifyOffset), 0);
  put(kQueueSelect, std::uint16_t{1});
  EXPECT_EQ(get<std::uint16_t>(kQueueSelect), 1);
  EXPECT_EQ(get<std::uint16_t>(kQueueSize), 16);
  EXPECT_EQ(get<std::uint16_t>(kNotifyOffset), 1);
  put(kQueueSelect, std::uint16_t{2});
  put(kQueueSize, std::uint16_t{8});
  put(kQueueEnable, std::uint16_t{1});
  for (const std::uint64_t offset : {kQueueSize, kQueueVector, kQueueEnable, kNotifyOffset})
    EXPECT_EQ(get<std::uint16_t>(offset), 0) << offset;
  EXPECT_EQ(registers.queues().size(), 2U);
}

TEST_F(RegistersTest, AQueueHasAPlaceInHalves) {
  put(kQueueSelect, std::uint16_t{1});
  put(kDescriptors, 0x11112222U);
  put(kDescriptors + 4, 0x1U);
  put(kAvailable, 0x33334444U);
  put(kAvailable + 4, 0x2U);
  put(kUsed, 0x55556666U);
  put(kUsed + 4, 0x3U);
  EXPECT_EQ(get<std::uint64_t>(kDescriptors), 0x111112222U);
  const VirtioRegisters::Queue& queue = registers.queues()[1];
  EXPECT_EQ(queue.descriptors, 0x111112222U);
  EXPECT_EQ(queue.available, 0x233334444U);
  EXPECT_EQ(queue.used, 0x355556666U);
  EXPECT_EQ(registers.queues()[0].descriptors, 0U);
}

TEST_F(RegistersTest, AQueueGetsSmallerByPowersOfTwo) {
  const auto size_after = [this](unsigned size) {
    put(kQueueSize, static_cast<std::uint16_t>(size));
    return get<std::uint16_t>(kQueueSize);
  };
  EXPECT_EQ(size_after(64), 64);
  EXPECT_EQ(size_after(0), 64);
  EXPECT_EQ(size_after(48), 64);
  EXPECT_EQ(size_after(512), 64);
  EXPECT_EQ(size_after(256), 256);
}

TEST_F(RegistersTest, AnEnabledQueueStays) {
  put(kQueueEnable, std::uint16_t{2});
  EXPECT_EQ(get<std::uint16_t>(kQueueEnable), 0) << "neither 0 nor 1";
  put(kQueueEnable, std::uint16_t{1});
  EXPECT_EQ(get<std::uint16_t>(kQueueEnable), 1);
  put(kQueueEnable, std::uint16_t{0});
  put(kQueueSize, std::uint16_t{8});
  put(kDescriptors, 1U);
  EXPECT_TRUE(registers.queues()[0].enabled);
  EXPECT_EQ(registers.queues()[0].size, 256);
  EXPECT_EQ(registers.queues()[0].descriptors, 0U);
  put(kQueueVector, std::uint16_t{1});
  EXPECT_EQ(registers.queues()[0].vector, 1) << "that may change";
}

TEST_F(RegistersTest, NoQueueComesLate) {
  accept(kVirtioVersion1);
  set_status(8);
  set_status(4);
  put(kQueueEnable, std::uint16_t{1});
  EXPECT_FALSE(registers.queues()[0].enabled);
}

TEST_F(RegistersTest, VectorsThatAreNotThereAreNone) {
  EXPECT_EQ(get<std::uint16_t>(kConfigVector), 0xffff);
  EXPECT_EQ(get<std::uint16_t>(kQueueVector), 0xffff);
  for (const std::uint64_t offset : {kConfigVector, kQueueVector}) {
    put(offset, std::uint16_t{2});
    EXPECT_EQ(get<std::uint16_t>(offset), 2);
    put(offset, std::uint16_t{3});
    EXPECT_EQ(get<std::uint16_t>(offset), 0xffff);
  }
  EXPECT_EQ(registers.config_vector(), 0xffff);
}

TEST_F(RegistersTest, AResetTakesAllBack) {
  accept(kVirtioVersion1);
  put(kDeviceSelect, 1U);
  put(kQueueSelect, std::uint16_t{1});
  put(kQueueSize, std::uint16_t{8});
  put(kQueueVector, std::uint16_t{1});
  put(kConfigVector, std::uint16_t{1});
  put(kQueueEnable, std::uint16_t{1});
  registers.next_generation();
  set_status(0);
  EXPECT_EQ(registers.features(), 0U);
  EXPECT_EQ(get<std::uint32_t>(kDeviceSelect), 0U);
  EXPECT_EQ(get<std::uint32_t>(kDriverSelect), 0U);
  EXPECT_EQ(get<std::uint16_t>(kQueueSelect), 0);
  EXPECT_EQ(get<std::uint16_t>(kConfigVector), 0xffff);
  EXPECT_FALSE(registers.queues()[1].enabled);
  EXPECT_EQ(registers.queues()[1].size, 16);
  EXPECT_EQ(registers.queues()[1].vector, 0xffff);
  EXPECT_EQ(get<std::uint8_t>(kGeneration), 1) << "which only goes on";
}

TEST_F(RegistersTest, FieldsAreWrittenWhole) {
  put(kDeviceSelect, std::uint16_t{1});
  put(kDeviceSelect, std::uint8_t{1});
  EXPECT_EQ(get<std::uint32_t>(kDeviceSelect), 0U);
  put(kQueueSelect, std::uint8_t{1});
  put(kConfigVector, 0x00010001U);
  EXPECT_EQ(get<std::uint16_t>(kQueueSelect), 0);
  EXPECT_EQ(get<std::uint16_t>(kConfigVector), 0xffff);
  put(kStatus, std::uint16_t{1});
  EXPECT_EQ(status(), 0);
  put(kDescriptors, std::uint16_t{1});
  put(kDescriptors + 2, std::uint16_t{1});
  put(kDescriptors + 2, 1U);
  EXPECT_EQ(registers.queues()[0].descriptors, 0U);
  put(kDeviceFeature, 1U);  // for reading, as the next
  put(kQueues, std::uint16_t{9});
  put(kGeneration, std::uint8_t{9});
  EXPECT_EQ(get<std::uint16_t>(kQueues), 2);
  EXPECT_EQ(get<std::uint8_t>(kGeneration), 0);
}

}  // namespace
}  // namespace vmctl
