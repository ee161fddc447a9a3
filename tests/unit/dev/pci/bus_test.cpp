// SPDX-License-Identifier: GPL-2.0
#include "dev/pci/bus.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.hpp"
#include "bus/bus.hpp"
#include "dev/pci/host_bridge.hpp"
#include "dev/reset.hpp"

namespace vmctl {
namespace {

constexpr std::uint32_t kWindow = 0xc0000000;

// BAR 0 of 4 KiB and BAR 2 of 64 KiB, which remember.
class Function final : public PciFunction {
 public:
  explicit Function(std::uint16_t device)
      : PciFunction({.vendor = 0x1af4, .device = device}), number_(device) {
    add_bar(0, 0x1000, small_);
    add_bar(2, 0x10000, large_);
  }
  void config_changed() override { ++changes; }
  class Memory final : public Device {
   public:
    explicit Memory(std::uint16_t tag) : tag_(tag) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override {
      last = offset;
      std::fill(data.begin(), data.end(), static_cast<std::uint8_t>(tag_));
    }
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override {
      last = offset;
      written = little_endian(data);
    }
    std::uint64_t last = ~std::uint64_t{0};
    std::uint64_t written = 0;

   private:
    std::uint16_t tag_;
  };
  Memory& small() { return small_; }
  Memory& large() { return large_; }
  int changes = 0;

 private:
  std::uint16_t number_;
  Memory small_{number_};
  Memory large_{static_cast<std::uint16_t>(number_ + 1)};
};

class PciBusTest : public testing::Test {
 protected:
  PciBusTest() {
    EXPECT_TRUE(pci.add(bridge));
    EXPECT_TRUE(pci.add(one));
    EXPECT_TRUE(pci.add(two));
    EXPECT_TRUE(ports.claim(0xcf8, 4, "address", address, kUpToDwords));
    EXPECT_TRUE(ports.claim(0xcfc, 4, "data", pci.data(), kUpToDwords));
    EXPECT_TRUE(mmio.claim(kWindow, 0x100000, "window", pci.window(), kUpToDwords));
  }
  static std::uint32_t in(const Bus& bus, std::uint64_t at, std::size_t size) {
    std::array<std::uint8_t, 4> bytes{};
    const auto part = std::span(bytes).first(size);
    bus.read(at, size, part);
    return static_cast<std::uint32_t>(little_endian(part));
  }
  static void out(const Bus& bus, std::uint64_t at, std::uint32_t value, std::size_t size) {
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> 8 * i);
    bus.write(at, size, std::span(bytes).first(size));
  }
  void select(unsigned slot, unsigned reg, std::uint32_t more = 0x80000000) {
    out(ports, 0xcf8, more | slot << 11 | reg, 4);
  }
  std::uint32_t config(unsigned slot, unsigned reg) {
    select(slot, reg);
    return in(ports, 0xcfc, 4);
  }
  void set_config(unsigned slot, unsigned reg, std::uint32_t value) {
    select(slot, reg);
    out(ports, 0xcfc, value, 4);
  }

  ResetControl reset{[] {}};
  ConfigAddress address{reset};
  HostBridge bridge;
  Function one{0x10};
  Function two{0x20};
  PciBus pci{address, kWindow, 0x100000};
  Bus ports;
  Bus mmio;
};

TEST_F(PciBusTest, FunctionsAreFoundBySlot) {
  EXPECT_EQ(config(0, 0), 0x00081b36U);
  EXPECT_EQ(config(0, 8) >> 8, 0x060000U) << "a host bridge, as Linux looks for";
  EXPECT_EQ(config(1, 0), 0x00101af4U);
  EXPECT_EQ(config(2, 0), 0x00201af4U);
  EXPECT_EQ(config(3, 0), 0xffffffffU);
  EXPECT_EQ(config(31, 0), 0xffffffffU);
  select(1, 0, 0);
  EXPECT_EQ(in(ports, 0xcfc, 4), 0xffffffffU) << "not enabled";
  select(1, 0, 0x80000100);
  EXPECT_EQ(in(ports, 0xcfc, 4), 0xffffffffU) << "function 1";
  select(1, 0, 0x80010000);
  EXPECT_EQ(in(ports, 0xcfc, 4), 0xffffffffU) << "bus 1";
  out(ports, 0xcfc, 0, 4);
}

TEST_F(PciBusTest, DataIsReadAndWrittenInParts) {
  select(1, 0);
  EXPECT_EQ(in(ports, 0xcfe, 2), 0x0010U);
  EXPECT_EQ(in(ports, 0xcfd, 1), 0x1aU);
  select(1, 0x0c);
  out(ports, 0xcfd, 0x77, 1);
  EXPECT_EQ(config(1, 0x0c), 0x7700U);
}

TEST_F(PciBusTest, BarsAreGivenRoomAndDecode) {
  EXPECT_EQ(config(1, 0x10), kWindow);
  EXPECT_EQ(config(1, 0x18), kWindow + 0x10000) << "at a multiple of its size";
  EXPECT_EQ(config(2, 0x10), kWindow + 0x20000);
  EXPECT_EQ(config(1, 4) & 2, 2U);
  EXPECT_EQ(in(mmio, kWindow + 0x10, 4), 0x10101010U);
  EXPECT_EQ(one.small().last, 0x10U);
  EXPECT_EQ(in(mmio, kWindow + 0x1ffff, 1), 0x11U);
  EXPECT_EQ(one.large().last, 0xffffU);
  EXPECT_EQ(in(mmio, kWindow + 0x1000, 4), 0xffffffffU) << "nobody's";
  out(mmio, kWindow + 0x20004, 5, 2);
  EXPECT_EQ(two.small().written, 5U);
  EXPECT_EQ(two.small().last, 4U);
}

TEST_F(PciBusTest, BarsMove) {
  const int changes = one.changes;
  EXPECT_EQ(changes, 1) << "when they were placed";
  set_config(1, 0x10, kWindow + 0x80000);
  EXPECT_EQ(one.changes, changes + 1);
  EXPECT_EQ(in(mmio, kWindow, 1), 0xffU);
  EXPECT_EQ(in(mmio, kWindow + 0x80000, 1), 0x10U);
  set_config(1, 4, 0);
  EXPECT_EQ(in(mmio, kWindow + 0x80000, 1), 0xffU) << "memory space is off";
  set_config(1, 4, 2);
  set_config(1, 0x10, 0xffffffff);  // sizing with the decoder on, out of the window
  EXPECT_EQ(in(mmio, kWindow + 0x80000, 1), 0xffU);
  EXPECT_EQ(config(1, 0x10), 0xfffff000U);
}

TEST_F(PciBusTest, OfTwoOverOneAnotherTheLowerSlotAnswers) {
  set_config(2, 0x10, kWindow);
  EXPECT_EQ(in(mmio, kWindow, 1), 0x10U);
  set_config(1, 4, 0);
  EXPECT_EQ(in(mmio, kWindow, 1), 0x20U);
}

TEST_F(PciBusTest, AnAccessOverABarsEndIsNobodys) {
  set_config(1, 0x18, kWindow + 0x40000);
  EXPECT_EQ(in(mmio, kWindow + 0xffe, 4), 0xffffffffU);
  out(mmio, kWindow + 0xffe, 0, 4);
  EXPECT_EQ(one.small().last, ~std::uint64_t{0});
}

TEST_F(PciBusTest, IsFullAtSomeTime) {
  std::vector<std::unique_ptr<Function>> more;
  while (pci.next_slot() < 15) {
    more.push_back(std::make_unique<Function>(1));
    // Sixteen pieces of 64 KiB are 1 MiB: a pair of BARs takes two.
    const bool room = more.size() <= 6;
    ASSERT_EQ(pci.add(*more.back()).has_value(), room) << more.size();
    if (!room) return;
  }
  FAIL() << "the window was never full";
}

TEST(PciBus, HasThirtyTwoSlots) {
  ResetControl reset{[] {}};
  ConfigAddress address{reset};
  std::vector<std::unique_ptr<HostBridge>> bridges;
  PciBus pci(address, kWindow, 0x1000);
  for (unsigned slot = 0; slot < 32; ++slot) {
    bridges.push_back(std::make_unique<HostBridge>());
    EXPECT_TRUE(pci.add(*bridges.back()));
  }
  HostBridge late;
  EXPECT_FALSE(pci.add(late));
}

}  // namespace
}  // namespace vmctl
