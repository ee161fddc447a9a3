// SPDX-License-Identifier: GPL-2.0
#include "kernel/ioctl_number.hpp"

#include <gtest/gtest.h>
#include <linux/ioctl.h>

#include <array>
#include <string>

namespace vmctl {
namespace {

TEST(IoctlNumber, FieldsLieWhereTheKernelHasThem) {
  for (unsigned bit = 0; bit < 32; ++bit) {
    const std::uint32_t value = 1U << bit;
    const IoctlNumber parts = split_ioctl(value);
    EXPECT_EQ(static_cast<unsigned>(parts.direction), _IOC_DIR(value)) << bit;
    EXPECT_EQ(parts.size, _IOC_SIZE(value)) << bit;
    EXPECT_EQ(parts.type, _IOC_TYPE(value)) << bit;
    EXPECT_EQ(parts.number, _IOC_NR(value)) << bit;
    EXPECT_EQ(join_ioctl(parts), value) << bit;
  }
}

TEST(IoctlNumber, AllBoundariesGoThereAndBack) {
  for (const IoctlDirection direction : {IoctlDirection::none, IoctlDirection::write,
                                         IoctlDirection::read, IoctlDirection::read_write}) {
    for (const unsigned size : {0U, 1U, 4U, 255U, 256U, 8191U, 8192U, 16382U, 16383U})
      for (const unsigned type : {0U, 1U, 0x7fU, 0x80U, 0xaeU, 0xffU})
        for (const unsigned number : {0U, 1U, 0x7fU, 0x80U, 0xffU}) {
          const IoctlNumber parts{direction, static_cast<std::uint16_t>(size),
                                  static_cast<std::uint8_t>(type),
                                  static_cast<std::uint8_t>(number)};
          const std::uint32_t value = join_ioctl(parts);
          EXPECT_EQ(value, _IOC(static_cast<unsigned>(direction), type, number, size));
          EXPECT_EQ(split_ioctl(value), parts);
        }
  }
}

TEST(IoctlNumber, SizeDoesNotReachIntoTheDirection) {
  EXPECT_EQ(join_ioctl({.size = 0xffff}), 0x3fff0000U);
}

TEST(IoctlNumber, MacrosMakeTheNumber) {
  EXPECT_EQ(ioctl_macro(split_ioctl(_IO(0xae, 0x80))), "_IO(0xae, 0x80)");
  EXPECT_EQ(ioctl_macro(split_ioctl(_IOW(0xd7, 4, char[8]))), "_IOW(0xd7, 0x04, char[8])");
  EXPECT_EQ(ioctl_macro(split_ioctl(_IOR('T', 255, char[16383]))), "_IOR(0x54, 0xff, char[16383])");
  EXPECT_EQ(ioctl_macro(split_ioctl(_IOWR(0xd7, 3, char[24])), "struct some"),
            "_IOWR(0xd7, 0x03, struct some)");
  // An array of no bytes is no C, and _IO has no size.
  EXPECT_EQ(ioctl_macro(split_ioctl(_IOC(_IOC_READ | _IOC_WRITE, 0, 0, 0))),
            "_IOC(_IOC_READ | _IOC_WRITE, 0x00, 0x00, 0)");
  EXPECT_EQ(ioctl_macro(split_ioctl(_IOC(_IOC_NONE, 1, 2, 3))), "_IOC(_IOC_NONE, 0x01, 0x02, 3)");
}

TEST(IoctlNumber, DirectionsHaveNames) {
  EXPECT_EQ(direction_name(split_ioctl(_IO(1, 2)).direction), "none");
  EXPECT_EQ(direction_name(split_ioctl(_IOW(1, 2, int)).direction), "write");
  EXPECT_EQ(direction_name(split_ioctl(_IOR(1, 2, int)).direction), "read");
  EXPECT_EQ(direction_name(split_ioctl(_IOWR(1, 2, int)).direction), "read+write");
}

TEST(IoctlNumber, ParsesMacros) {
  for (const char* text : {"IOWR", "_IOWR", "iowr", "_ioWr"})
    EXPECT_EQ(parse_ioctl_macro(text).value(), IoctlDirection::read_write) << text;
  EXPECT_EQ(parse_ioctl_macro("_IO").value(), IoctlDirection::none);
  EXPECT_EQ(parse_ioctl_macro("ior").value(), IoctlDirection::read);
  EXPECT_EQ(parse_ioctl_macro("IOW").value(), IoctlDirection::write);
  for (const char* text : {"", "_", "__IO", "IORW", "IOC", "IO ", "IOWRX", "\x1b[31m"})
    EXPECT_FALSE(parse_ioctl_macro(text)) << text;
}

TEST(IoctlNumber, ParsesBytes) {
  EXPECT_EQ(parse_ioctl_byte("0").value(), 0);
  EXPECT_EQ(parse_ioctl_byte("9").value(), 9) << "a digit is a number";
  EXPECT_EQ(parse_ioctl_byte("'9'").value(), '9');
  EXPECT_EQ(parse_ioctl_byte("T").value(), 'T');
  EXPECT_EQ(parse_ioctl_byte("255").value(), 255);
  EXPECT_EQ(parse_ioctl_byte("0xff").value(), 255);
  for (const char* text : {"", "256", "0x100", "4294967296", "TT", "-1", "0x", "''"})
    EXPECT_FALSE(parse_ioctl_byte(text)) << text;
}

TEST(IoctlNumber, ParsesSizes) {
  EXPECT_EQ(parse_ioctl_size("0").value(), 0);
  EXPECT_EQ(parse_ioctl_size("16383").value(), 16383);
  for (const char* text : {"", "16384", "65536", "-1", "4K", "99999999999999999999"})
    EXPECT_FALSE(parse_ioctl_size(text)) << text;
}

TEST(IoctlNumber, ParsesWholeNumbers) {
  EXPECT_EQ(parse_ioctl("0").value(), 0U);
  EXPECT_EQ(parse_ioctl("44672").value(), 0xae80U);
  EXPECT_EQ(parse_ioctl("0xFFFFFFFF").value(), 0xffffffffU);
  for (const char* text : {"", "0x100000000", "-1", "ae80", "0xae80,", "0x10000000000000000"})
    EXPECT_FALSE(parse_ioctl(text)) << text;
  EXPECT_NE(parse_ioctl("0xffffffff8090ae81").error().advice.find("0x8090ae81"), std::string::npos);
  EXPECT_EQ(parse_ioctl("\x1b[31m").error().text().find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vmctl
