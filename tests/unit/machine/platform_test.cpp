// SPDX-License-Identifier: GPL-2.0
#include "machine/platform.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "machine/layout.hpp"

namespace vmctl {
namespace {

Cpuid leaf1() {
  kvm_cpuid_entry2 entry{};
  entry.function = 1;
  entry.eax = 0x800f12;
  entry.edx = 0x178bfbff;
  return {entry};
}

TEST(Platform, TellsWhereThingsAre) {
  DevicesConfig devices;
  devices.irqchip = Irqchip::kernel;
  const firmware::Platform platform = describe_platform(devices, 3, leaf1());
  EXPECT_EQ(platform.cpus, 3U);
  EXPECT_EQ(platform.cpu_signature, 0x800f12U);
  EXPECT_EQ(platform.cpu_features, 0x178bfbffU);
  ASSERT_TRUE(platform.apics);
  EXPECT_EQ(platform.apics->local, GuestAddr{0xfee00000});
  EXPECT_EQ(platform.apics->io, GuestAddr{0xfec00000});
  EXPECT_EQ(platform.pm1_event, 0x600);
  EXPECT_EQ(platform.pm1_control, 0x604);
  EXPECT_EQ(platform.pm_timer, 0x608);
  EXPECT_EQ(platform.soft_off, 5);
  EXPECT_EQ(platform.sci, 9);
  EXPECT_EQ(platform.reset_port, 0xcf9);
  EXPECT_EQ(platform.reset_value, 6);
  EXPECT_EQ(platform.cmos_century, 0x32);
  EXPECT_TRUE(platform.pit);
  ASSERT_EQ(platform.serial.size(), 1U);
  EXPECT_EQ(platform.serial[0].port, 0x3f8);
  EXPECT_EQ(platform.serial[0].irq, 4);
}

TEST(Platform, SaysOfWhatThereIsAlone) {
  DevicesConfig devices;
  devices.irqchip = Irqchip::none;
  devices.com2.kind = ChannelSpec::Kind::pty;
  const firmware::Platform platform = describe_platform(devices, 1, {});
  EXPECT_FALSE(platform.apics);
  EXPECT_FALSE(platform.pit);
  ASSERT_EQ(platform.serial.size(), 2U);
  EXPECT_EQ(platform.serial[1].port, 0x2f8);
  EXPECT_EQ(platform.serial[1].irq, 3);
}

// Every pin of every slot but the bridge's, on lines that no ISA device has.
TEST(Platform, RoutesAllPins) {
  const auto pci = describe_platform({}, 1, {}).pci;
  ASSERT_TRUE(pci);
  EXPECT_EQ(pci->io, 0x1000);
  EXPECT_EQ(pci->memory, layout::kPciMemory.base);
  EXPECT_EQ(pci->memory_size, layout::kPciMemory.size);
  std::set<std::pair<int, int>> pins;
  for (const auto& route : pci->routes) {
    pins.emplace(route.slot, route.pin);
    EXPECT_EQ(route.gsi, layout::pci_gsi(route.slot, route.pin));
    EXPECT_EQ(route.irq, layout::pci_irq(route.slot, route.pin));
    EXPECT_GE(route.gsi, 16);
    EXPECT_LE(route.gsi, 23);
    EXPECT_TRUE(route.irq == 10 || route.irq == 11);
  }
  EXPECT_EQ(pci->routes.size(), 31U * 4);
  EXPECT_EQ(pins.size(), 31U * 4);
  EXPECT_EQ(*pins.begin(), std::pair(1, 0));
  EXPECT_EQ(*pins.rbegin(), std::pair(31, 3));
  EXPECT_NE(layout::pci_gsi(1, 0), layout::pci_gsi(2, 0));
  EXPECT_NE(layout::pci_gsi(1, 0), layout::pci_gsi(1, 1));
}

TEST(Platform, FirmwareIsWrittenWhereItBelongs) {
  const GuestMemory memory =
      GuestMemory::create(1 << 20, GuestAddr{0xc0000000}, GuestAddr{1ULL << 32}).value();
  DevicesConfig devices;
  devices.irqchip = Irqchip::kernel;
  const auto firmware = firmware::build(describe_platform(devices, 2, leaf1())).value();
  ASSERT_TRUE(write_firmware(memory, firmware));
  EXPECT_EQ(firmware.rsdp, layout::kRsdp);
  for (const firmware::Block& block : firmware.blocks) {
    const auto bytes = memory.span(block.gpa, block.bytes.size()).value();
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), block.bytes.begin())) << block.name;
  }
  const GuestMemory small =
      GuestMemory::create(0xf0000, GuestAddr{0xc0000000}, GuestAddr{1ULL << 32}).value();
  EXPECT_FALSE(write_firmware(small, firmware));
}

}  // namespace
}  // namespace vmctl
