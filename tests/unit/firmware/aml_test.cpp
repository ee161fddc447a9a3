// SPDX-License-Identifier: GPL-2.0
#include "firmware/aml.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmctl::firmware::aml {
namespace {

Bytes text(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(AmlTest, NamesHaveSegmentsOfFour) {
  EXPECT_EQ(name_string("A"), text("A___"));
  EXPECT_EQ(name_string("\\_S5"), text("\\_S5_"));
  EXPECT_EQ(name_string("_SB.PCI0"), join({{0x2e}, text("_SB_PCI0")}));
  EXPECT_EQ(name_string("\\_SB.PCI0.COM1"), join({{'\\', 0x2f, 3}, text("_SB_PCI0COM1")}));
  EXPECT_EQ(name_string("\\"), (Bytes{'\\', 0}));
}

TEST(AmlTest, IntegersTakeTheLeastRoom) {
  EXPECT_EQ(integer(0), Bytes{0x00});
  EXPECT_EQ(integer(1), Bytes{0x01});
  EXPECT_EQ(integer(2), (Bytes{0x0a, 2}));
  EXPECT_EQ(integer(0xff), (Bytes{0x0a, 0xff}));
  EXPECT_EQ(integer(0x100), (Bytes{0x0b, 0, 1}));
  EXPECT_EQ(integer(0xffff), (Bytes{0x0b, 0xff, 0xff}));
  EXPECT_EQ(integer(0x10000), (Bytes{0x0c, 0, 0, 1, 0}));
  EXPECT_EQ(integer(0xffffffff), (Bytes{0x0c, 0xff, 0xff, 0xff, 0xff}));
  EXPECT_EQ(integer(0x100000000), (Bytes{0x0e, 0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(AmlTest, EisaIds) {
  EXPECT_EQ(eisa_id("PNP0A03"), (Bytes{0x0c, 0x41, 0xd0, 0x0a, 0x03}));
  EXPECT_EQ(eisa_id("PNP0501"), (Bytes{0x0c, 0x41, 0xd0, 0x05, 0x01}));
}

// The length of a package counts its own bytes: 1 up to 63, 2 up to 4095, 3 up to 1048575.
TEST(AmlTest, LengthsCountThemselves) {
  const auto length = [](std::size_t body) {
    Bytes bytes = scope("\\", Bytes(body - 2, 0xa3));  // two for the name
    EXPECT_EQ(bytes.at(0), 0x10);
    EXPECT_EQ(bytes.back(), 0xa3);
    return Bytes(bytes.begin() + 1, bytes.begin() + 5);
  };
  EXPECT_EQ(length(62)[0], 63);
  EXPECT_EQ(length(62)[1], '\\');
  EXPECT_EQ(length(63), (Bytes{0x41, 0x04, '\\', 0}));  // 65 in all
  EXPECT_EQ(length(0xffd), (Bytes{0x4f, 0xff, '\\', 0}));
  EXPECT_EQ(length(0xffe), (Bytes{0x81, 0x00, 0x01, '\\'}));
  EXPECT_EQ(length(0xffffc), (Bytes{0x8f, 0xff, 0xff, '\\'}));
  EXPECT_EQ(length(0xffffd), (Bytes{0xc1, 0x00, 0x00, 0x01}));
}

TEST(AmlTest, PackagesAndBuffers) {
  EXPECT_EQ(package(std::vector<Bytes>{integer(5), integer(0)}), (Bytes{0x12, 5, 2, 0x0a, 5, 0}));
  EXPECT_EQ(package({}), (Bytes{0x12, 2, 0}));
  EXPECT_EQ(buffer({7, 8}), (Bytes{0x11, 5, 0x0a, 2, 7, 8}));
  EXPECT_EQ(buffer({}), (Bytes{0x11, 2, 0}));
}

TEST(AmlTest, Terms) {
  EXPECT_EQ(name("ABCD", integer(1)), join({{0x08}, text("ABCD"), {1}}));
  EXPECT_EQ(device("ABCD", integer(1)), join({{0x5b, 0x82, 6}, text("ABCD"), {1}}));
  EXPECT_EQ(method("ABCD", 2, integer(1)), join({{0x14, 7}, text("ABCD"), {2, 1}}));
  EXPECT_EQ(argument(0), Bytes{0x68});
  EXPECT_EQ(argument(6), Bytes{0x6e});
  EXPECT_EQ(store(argument(0), "ABCD"), join({{0x70, 0x68}, text("ABCD")}));
  EXPECT_EQ(return_of(integer(2)), (Bytes{0xa4, 0x0a, 2}));
  EXPECT_EQ(if_else(argument(0), return_of(integer(1)), return_of(integer(0))),
            (Bytes{0xa0, 4, 0x68, 0xa4, 1, 0xa1, 3, 0xa4, 0}));
}

TEST(AmlTest, SmallDescriptors) {
  EXPECT_EQ(io_ports(0x3f8, 8), (Bytes{0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8}));
  EXPECT_EQ(irq(4), (Bytes{0x22, 0x10, 0}));
  EXPECT_EQ(irq(15), (Bytes{0x22, 0, 0x80}));
  EXPECT_EQ(resources({irq(0), irq(1)}),
            (Bytes{0x11, 11, 0x0a, 8, 0x22, 1, 0, 0x22, 2, 0, 0x79, 0}));
}

TEST(AmlTest, Windows) {
  EXPECT_EQ(bus_numbers(0, 255), (Bytes{0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0, 1}));
  EXPECT_EQ(io_window(0x1000, 0xffff),
            (Bytes{0x88, 13, 0, 1, 0x0c, 3, 0, 0, 0, 0x10, 0xff, 0xff, 0, 0, 0, 0xf0}));
  EXPECT_EQ(memory_window(0xc0000000, 0xdfffffff),
            (Bytes{0x87, 23,   0,    0,    0x0c, 1, 0, 0, 0, 0, 0, 0, 0,
                   0xc0, 0xff, 0xff, 0xff, 0xdf, 0, 0, 0, 0, 0, 0, 0, 0x20}));
}

}  // namespace
}  // namespace vmctl::firmware::aml
