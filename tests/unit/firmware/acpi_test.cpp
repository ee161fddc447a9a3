// SPDX-License-Identifier: GPL-2.0
#include "firmware/acpi.hpp"

#include <gtest/gtest.h>

#include <array>

#include "firmware/example.hpp"

namespace vmctl::firmware {
namespace {

using test::number;
using test::sum;
using test::text;

void expect_header(const Bytes& table, const char* signature, unsigned revision) {
  EXPECT_EQ(text(table, 0, 4), signature);
  EXPECT_EQ(number(table, 4, 4), table.size());
  EXPECT_EQ(number(table, 8, 1), revision);
  EXPECT_EQ(sum(table), 0U);
  EXPECT_EQ(text(table, 10, 6), "VMCTL ");
  EXPECT_EQ(text(table, 16, 8), "VMCTLPC ");
}

TEST(AcpiTest, RootPointer) {
  const Bytes bytes = rsdp(GuestAddr{0xe1234}, GuestAddr{0xe5678});
  ASSERT_EQ(bytes.size(), 36U);
  EXPECT_EQ(text(bytes, 0, 8), "RSD PTR ");
  EXPECT_EQ(sum(std::span(bytes).first(20)), 0U);
  EXPECT_EQ(sum(bytes), 0U);
  EXPECT_NE(number(bytes, 8, 1), 0U);
  EXPECT_EQ(text(bytes, 9, 6), "VMCTL ");
  EXPECT_EQ(number(bytes, 15, 1), 2U);
  EXPECT_EQ(number(bytes, 16, 4), 0xe1234U);
  EXPECT_EQ(number(bytes, 20, 4), 36U);
  EXPECT_EQ(number(bytes, 24, 8), 0xe5678U);
  EXPECT_EQ(number(bytes, 33, 3), 0U);
}

TEST(AcpiTest, ListsOfTables) {
  const std::array tables{GuestAddr{0xe1000}, GuestAddr{0xe2000}};
  const Bytes narrow = rsdt(tables);
  expect_header(narrow, "RSDT", 1);
  ASSERT_EQ(narrow.size(), 44U);
  EXPECT_EQ(number(narrow, 36, 4), 0xe1000U);
  EXPECT_EQ(number(narrow, 40, 4), 0xe2000U);
  const Bytes wide = xsdt(tables);
  expect_header(wide, "XSDT", 1);
  ASSERT_EQ(wide.size(), 52U);
  EXPECT_EQ(number(wide, 36, 8), 0xe1000U);
  EXPECT_EQ(number(wide, 44, 8), 0xe2000U);
}

TEST(AcpiTest, FixedDescription) {
  const Bytes bytes = fadt(test::example(), GuestAddr{0xe0040}, GuestAddr{0xe0080});
  expect_header(bytes, "FACP", 6);
  ASSERT_EQ(bytes.size(), 276U);
  EXPECT_EQ(number(bytes, 131, 1), 5U);       // 6.5
  EXPECT_EQ(number(bytes, 36, 4), 0xe0040U);  // FACS
  EXPECT_EQ(number(bytes, 132, 8), 0U);       // which is said once
  EXPECT_EQ(number(bytes, 40, 4), 0xe0080U);  // DSDT
  EXPECT_EQ(number(bytes, 140, 8), 0xe0080U);
  EXPECT_EQ(number(bytes, 46, 2), 9U);           // SCI_INT
  EXPECT_EQ(number(bytes, 48, 8), 0U);           // SMI_CMD and what is written there
  EXPECT_EQ(number(bytes, 56, 8), 0x610U);       // PM1a_EVT_BLK, PM1b_EVT_BLK
  EXPECT_EQ(number(bytes, 64, 8), 0x624U);       // PM1a_CNT_BLK, PM1b_CNT_BLK
  EXPECT_EQ(number(bytes, 72, 4), 0U);           // PM2_CNT_BLK
  EXPECT_EQ(number(bytes, 76, 4), 0x638U);       // PM_TMR_BLK
  EXPECT_EQ(number(bytes, 80, 8), 0U);           // GPE0_BLK, GPE1_BLK
  EXPECT_EQ(number(bytes, 88, 8), 0x04000204U);  // lengths, in the same order
  EXPECT_GT(number(bytes, 96, 2), 100U);         // no C2
  EXPECT_GT(number(bytes, 98, 2), 1000U);        // no C3
  EXPECT_EQ(number(bytes, 100, 8), 0U);          // no flushing, no duty cycle, no alarms of dates
  EXPECT_EQ(number(bytes, 108, 1), 0x32U);       // CENTURY
  // Legacy devices, no 8042 to probe, no VGA, MSI, no ASPM, a CMOS clock.
  EXPECT_EQ(number(bytes, 109, 2), 0x0015U);
  // WBINVD, C1; a fixed power button, no sleep button, no RTC wake status; a timer of 24 bits; a
  // reset register.
  EXPECT_EQ(number(bytes, 112, 4), 0x00000465U);
  EXPECT_EQ(number(bytes, 116, 4), 0x01000801U);  // ports, 8 bits, by bytes
  EXPECT_EQ(number(bytes, 120, 8), 0xcf9U);
  EXPECT_EQ(number(bytes, 128, 1), 0x06U);
  EXPECT_EQ(number(bytes, 129, 2), 0U);
  EXPECT_EQ(number(bytes, 148, 4), 0x02002001U);  // X_PM1a_EVT_BLK: 32 bits, by words
  EXPECT_EQ(number(bytes, 152, 8), 0x610U);
  EXPECT_EQ(number(bytes, 172, 4), 0x02001001U);  // X_PM1a_CNT_BLK: 16 bits, by words
  EXPECT_EQ(number(bytes, 176, 8), 0x624U);
  EXPECT_EQ(number(bytes, 208, 4), 0x03002001U);  // X_PM_TMR_BLK: 32 bits, by dwords
  EXPECT_EQ(number(bytes, 212, 8), 0x638U);
  for (const std::size_t none : {160U, 184U, 196U, 220U, 232U, 244U, 256U}) {
    EXPECT_EQ(number(bytes, none, 4), 0U) << none;
    EXPECT_EQ(number(bytes, none + 4, 8), 0U) << none;
  }
}

TEST(AcpiTest, FirmwareControl) {
  const Bytes bytes = facs();
  ASSERT_EQ(bytes.size(), 64U);
  EXPECT_EQ(text(bytes, 0, 4), "FACS");
  EXPECT_EQ(number(bytes, 4, 4), 64U);
  EXPECT_EQ(number(bytes, 32, 1), 2U);
}

TEST(AcpiTest, WorkaroundsNotNeeded) {
  const Bytes bytes = waet();
  expect_header(bytes, "WAET", 1);
  ASSERT_EQ(bytes.size(), 40U);
  EXPECT_EQ(number(bytes, 36, 4), 2U);  // of the PM timer, not of the RTC
}

TEST(AcpiTest, Processors) {
  const Bytes bytes = madt(test::example(2));
  expect_header(bytes, "APIC", 6);
  EXPECT_EQ(number(bytes, 36, 4), 0xfee00000U);
  EXPECT_EQ(number(bytes, 40, 4), 1U);
  const Bytes entries(bytes.begin() + 44, bytes.end());
  EXPECT_EQ(entries, (Bytes{0, 8,  0,    0, 1, 0, 0,    0,                    //
                            0, 8,  1,    1, 1, 0, 0,    0,                    //
                            1, 12, 0,    0, 0, 0, 0xc0, 0xfe, 0,    0, 0, 0,  // IOAPIC, GSI 0
                            2, 10, 0,    0, 2, 0, 0,    0,    0,    0,        // IRQ 0 on pin 2
                            2, 10, 0,    9, 9, 0, 0,    0,    0x0d, 0,  // a level, active high
                            4, 6,  0xff, 0, 0, 1}));                    // NMI on LINT1
}

TEST(AcpiTest, ProcessorsWithWideIds) {
  constexpr std::size_t kRest = 12 + 10 + 10 + 6;
  EXPECT_EQ(madt(test::example(255)).size(), 44 + 255 * 8 + kRest);
  const Bytes bytes = madt(test::example(257));
  expect_header(bytes, "APIC", 6);
  ASSERT_EQ(bytes.size(), 44 + 255 * 8 + 2 * 16 + kRest + 12);
  const std::size_t last_narrow = 44 + 254 * 8;
  EXPECT_EQ(number(bytes, last_narrow, 8), 0x00000001fefe0800U);
  const std::size_t wide = 44 + 255 * 8;
  EXPECT_EQ(number(bytes, wide, 4), 0x1009U);
  EXPECT_EQ(number(bytes, wide + 4, 4), 255U);
  EXPECT_EQ(number(bytes, wide + 8, 4), 1U);
  EXPECT_EQ(number(bytes, wide + 12, 4), 255U);
  EXPECT_EQ(number(bytes, wide + 16 + 4, 4), 256U);
  const std::size_t nmi = bytes.size() - 12;
  EXPECT_EQ(number(bytes, nmi, 4), 0x0c0aU);
  EXPECT_EQ(number(bytes, nmi + 4, 4), 0xffffffffU);
  EXPECT_EQ(number(bytes, nmi + 8, 4), 1U);
}

}  // namespace
}  // namespace vmctl::firmware
