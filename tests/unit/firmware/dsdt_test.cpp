// SPDX-License-Identifier: GPL-2.0
// What stands in the namespace, by the bytes of its terms; that they fit together iasl says.
#include "firmware/dsdt.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "firmware/aml.hpp"
#include "firmware/example.hpp"

namespace vmctl::firmware {
namespace {

using namespace aml;

bool holds(const Bytes& all, const Bytes& part) {
  return std::search(all.begin(), all.end(), part.begin(), part.end()) != all.end();
}

TEST(DsdtTest, SoftOff) {
  Platform platform = test::example();
  platform.soft_off = 6;
  EXPECT_TRUE(holds(dsdt_body(platform),
                    Bytes{0x08, '\\', '_', 'S', '5', '_', 0x12, 7, 4, 0x0a, 6, 0, 0, 0}));
}

TEST(DsdtTest, SerialPorts) {
  const Bytes body = dsdt_body(test::example());
  const auto port = [](std::string_view path, unsigned uid, std::uint16_t at, unsigned line) {
    return device(path, join({name("_HID", eisa_id("PNP0501")), name("_UID", integer(uid)),
                              name("_CRS", resources({io_ports(at, 8), irq(line)}))}));
  };
  EXPECT_TRUE(holds(body, port("COM1", 1, 0x3f8, 4)));
  EXPECT_TRUE(holds(body, port("COM2", 2, 0x2f8, 3)));
  Platform one = test::example();
  one.serial.pop_back();
  EXPECT_TRUE(holds(dsdt_body(one), port("COM1", 1, 0x3f8, 4)));
  EXPECT_FALSE(holds(dsdt_body(one), name_string("COM2")));
}

TEST(DsdtTest, ClockAndTimer) {
  Platform platform = test::example();
  EXPECT_TRUE(holds(dsdt_body(platform), eisa_id("PNP0B00")));
  EXPECT_TRUE(holds(dsdt_body(platform), resources({io_ports(0x70, 2), irq(8)})));
  EXPECT_TRUE(holds(dsdt_body(platform), resources({io_ports(0x40, 4), irq(0)})));
  EXPECT_TRUE(holds(dsdt_body(platform), eisa_id("PNP0100")));
  platform.pit = false;
  EXPECT_FALSE(holds(dsdt_body(platform), eisa_id("PNP0100")));
  EXPECT_FALSE(holds(dsdt_body(platform), io_ports(0x40, 4)));
}

TEST(DsdtTest, HostBridge) {
  const Bytes body = dsdt_body(test::example());
  EXPECT_TRUE(holds(body, eisa_id("PNP0A03")));
  EXPECT_TRUE(
      holds(body, resources({bus_numbers(0, 0), io_ports(0xcf8, 8), io_window(0x1000, 0xffff),
                             memory_window(0xc0000000, 0xdfffffff)})));
  Platform without = test::example();
  without.pci.reset();
  EXPECT_FALSE(holds(dsdt_body(without), eisa_id("PNP0A03")));
}

// The lines of the APICs for who has said that it uses them.
TEST(DsdtTest, Routes) {
  const auto table = [](std::string_view path, unsigned first, unsigned second) {
    return name(
        path,
        package(std::vector<Bytes>{
            package(std::vector<Bytes>{integer(0x1ffff), integer(0), integer(0), integer(first)}),
            package(
                std::vector<Bytes>{integer(0x1fffff), integer(3), integer(0), integer(second)})}));
  };
  const Bytes both = dsdt_body(test::example());
  EXPECT_TRUE(holds(both, table("PRTP", 11, 10)));
  EXPECT_TRUE(holds(both, table("PRTA", 17, 18)));
  EXPECT_TRUE(holds(both, method("\\_PIC", 1, store(argument(0), "PICM"))));
  EXPECT_TRUE(holds(both, name("\\PICM", integer(0))));
  EXPECT_TRUE(holds(both, method("_PRT", 0,
                                 if_else(name_string("PICM"), return_of(name_string("PRTA")),
                                         return_of(name_string("PRTP"))))));
  Platform pics = test::example();
  pics.apics.reset();
  EXPECT_TRUE(holds(dsdt_body(pics), table("PRTP", 11, 10)));
  EXPECT_TRUE(holds(dsdt_body(pics), method("_PRT", 0, return_of(name_string("PRTP")))));
  EXPECT_FALSE(holds(dsdt_body(pics), name_string("PICM")));
}

}  // namespace
}  // namespace vmctl::firmware
