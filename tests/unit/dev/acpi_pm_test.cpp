// SPDX-License-Identifier: GPL-2.0
#include "dev/acpi_pm.hpp"

#include <gtest/gtest.h>

#include <array>

#include "base/bytes.hpp"
#include "dev/fake_line.hpp"
#include "dev/ports.hpp"

namespace vmctl {
namespace {

class AcpiPmTest : public testing::Test {
 protected:
  unsigned status() { return word(pm.events(), 0); }
  unsigned enable() { return word(pm.events(), 2); }
  unsigned control() { return word(pm.control(), 0); }
  void status(unsigned value) { word(pm.events(), 0, value); }
  void enable(unsigned value) { word(pm.events(), 2, value); }
  void control(unsigned value) { word(pm.control(), 0, value); }

  static unsigned word(Device& device, std::uint64_t offset) {
    std::array<std::uint8_t, 2> data{0xcc, 0xcc};
    device.read(offset, data);
    return static_cast<unsigned>(little_endian(data));
  }
  static void word(Device& device, std::uint64_t offset, unsigned value) {
    device.write(offset, std::array{static_cast<std::uint8_t>(value),
                                    static_cast<std::uint8_t>(value >> 8)});
  }

  test::FakeLine sci;
  int offs = 0;
  AcpiPm pm{sci, [this] {
              ++offs;
              status();  // hangs if the lock were held
            }};
};

TEST_F(AcpiPmTest, AfterPowerOn) {
  EXPECT_EQ(status(), 0U);
  EXPECT_EQ(enable(), 0U);
  EXPECT_EQ(control(), 0x0001U);  // SCI_EN: ACPI is on
  EXPECT_FALSE(sci.high);
}

TEST_F(AcpiPmTest, TheButtonRaisesTheSciWhereItIsEnabled) {
  EXPECT_FALSE(pm.power_button_enabled());
  pm.press_power_button();
  EXPECT_EQ(status(), 0x0100U);
  EXPECT_FALSE(sci.high);
  enable(0x0100);
  EXPECT_TRUE(pm.power_button_enabled());
  EXPECT_TRUE(sci.high);  // what was pressed before counts
  status(0x0100);
  EXPECT_EQ(status(), 0U);
  EXPECT_FALSE(sci.high);

  pm.press_power_button();
  pm.press_power_button();
  EXPECT_TRUE(sci.high);
  EXPECT_EQ(sci.rises, 2);
  enable(0);
  EXPECT_FALSE(sci.high);
  EXPECT_EQ(status(), 0x0100U);
}

TEST_F(AcpiPmTest, OnlyOnesClearTheStatus) {
  pm.press_power_button();
  status(0x0000);
  EXPECT_EQ(status(), 0x0100U);
  status(0xfeff);
  EXPECT_EQ(status(), 0x0100U);
  test::out(pm.events(), 0, 0xff);  // the other byte
  EXPECT_EQ(status(), 0x0100U);
  test::out(pm.events(), 1, 0x01);
  EXPECT_EQ(status(), 0x0000U);
  status(0xffff);  // and none ever sets it
  EXPECT_EQ(status(), 0x0000U);
}

TEST_F(AcpiPmTest, OnlyTheEventsThereAreCanBeEnabled) {
  enable(0xffff);
  EXPECT_EQ(enable(), 0x0721U);
  test::out(pm.events(), 2, 0x01);
  EXPECT_EQ(enable(), 0x0701U);
  test::out(pm.events(), 3, 0x02);
  EXPECT_EQ(enable(), 0x0201U);
  EXPECT_FALSE(pm.power_button_enabled());
  EXPECT_FALSE(sci.high);
}

TEST_F(AcpiPmTest, StatusAndEnableInOneAccess) {
  pm.press_power_button();
  pm.events().write(0, std::array<std::uint8_t, 4>{0, 0, 0x20, 0x01});
  EXPECT_TRUE(sci.high);
  std::array<std::uint8_t, 4> data{};
  data.fill(0xcc);
  pm.events().read(0, data);
  EXPECT_EQ(little_endian(data), 0x01200100U);
  pm.events().write(0, std::array<std::uint8_t, 4>{0, 0x01, 0, 0x01});
  EXPECT_FALSE(sci.high);
}

TEST_F(AcpiPmTest, ControlKeepsWhatItHas) {
  control(0xffff & ~0x2000);
  EXPECT_EQ(control(), 0x1c03U);  // GBL_RLS reads as zero
  control(0x0000);
  EXPECT_EQ(control(), 0x0001U);  // ACPI stays on
  EXPECT_EQ(offs, 0);
}

TEST_F(AcpiPmTest, SwitchesOffByS5Alone) {
  for (unsigned type = 0; type < 8; ++type) {
    offs = 0;
    control(type << 10);
    EXPECT_EQ(offs, 0) << type;
    control(type << 10 | 0x2000);
    EXPECT_EQ(offs, type == 5 ? 1 : 0) << type;
    EXPECT_EQ(control(), type << 10 | 0x0001) << "SLP_EN reads as zero";
  }
  static_assert(AcpiPm::kSoftOff == 5);
}

TEST_F(AcpiPmTest, SwitchesOffByTheUpperByteAlone) {
  test::out(pm.control(), 0, 0x20 | 0x14);  // the same bits in the lower one
  EXPECT_EQ(offs, 0);
  test::out(pm.control(), 1, 0x34);
  EXPECT_EQ(offs, 1);
}

TEST_F(AcpiPmTest, NothingBeyondTheEnd) {
  std::array<std::uint8_t, 4> data{};
  pm.events().read(3, data);
  EXPECT_EQ(little_endian(data), 0xffffff00U);
  data.fill(0);
  pm.control().read(1, data);
  EXPECT_EQ(little_endian(data), 0xffffff00U);
  pm.press_power_button();
  pm.events().write(4, std::array<std::uint8_t, 2>{0xff, 0xff});
  EXPECT_EQ(status(), 0x0100U);
  EXPECT_EQ(enable(), 0U);
  pm.control().write(2, std::array<std::uint8_t, 2>{0xff, 0xff});
  pm.control().write(3, std::array<std::uint8_t, 1>{0x34});
  EXPECT_EQ(offs, 0);
  EXPECT_EQ(control(), 0x0001U);
}

}  // namespace
}  // namespace vmctl
