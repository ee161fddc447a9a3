// SPDX-License-Identifier: GPL-2.0
#include "firmware/acpi.hpp"

#include <algorithm>
#include <string_view>

#include "firmware/dsdt.hpp"

namespace vmctl::firmware {
namespace {

constexpr std::string_view kOem = "VMCTL";
constexpr std::size_t kHeaderSize = 36;
constexpr std::size_t kChecksumAt = 9;

// Header and body of a table (5.2.6).
Bytes table(std::string_view signature, std::uint8_t revision, const Bytes& body) {
  Bytes bytes = Writer()
                    .text(signature, 4)
                    .u32(kHeaderSize + body.size())
                    .u8(revision)
                    .u8(0)
                    .text(kOem, 6)
                    .text("VMCTLPC", 8)
                    .u32(1)
                    .text("VMCT", 4)
                    .u32(1)
                    .bytes(body)
                    .take();
  seal(bytes, kChecksumAt);
  return bytes;
}

// Generic address structure (5.2.3.2), of ports. Access: 1 byte, 2 word, 3 dword.
Bytes port(std::uint16_t address, std::uint8_t bits, std::uint8_t access) {
  constexpr std::uint8_t kSystemIo = 1;
  return Writer().u8(kSystemIo).u8(bits).u8(0).u8(access).u64(address).take();
}

constexpr std::size_t kAddressSize = 12;

// FADT's flags (table 5.10) and boot architecture (table 5.11).
constexpr std::uint32_t kWbinvd = 1U << 0;
constexpr std::uint32_t kHaltIsC1 = 1U << 2;
constexpr std::uint32_t kNoSleepButton = 1U << 5;
constexpr std::uint32_t kNoRtcWakeStatus = 1U << 6;
constexpr std::uint32_t kResetRegister = 1U << 10;
constexpr std::uint16_t kLegacyDevices = 1U << 0;  // serial ports; bit 1: no keyboard to look for
constexpr std::uint16_t kNoVga = 1U << 2;
constexpr std::uint16_t kNoAspm = 1U << 4;
// Latencies that say there is no such state (5.2.9: more than 100 and 1000 us).
constexpr std::uint16_t kNoC2 = 101;
constexpr std::uint16_t kNoC3 = 1001;

// Of the MADT: polarity and trigger mode (table 5.26).
constexpr std::uint16_t kActiveHigh = 1;
constexpr std::uint16_t kLevel = 3U << 2;

constexpr std::uint32_t kApicIds = 255;  // that 8 bits hold; 255 is all of them

}  // namespace

Bytes rsdp(GuestAddr rsdt, GuestAddr xsdt) {
  constexpr std::size_t kFirstPart = 20;
  constexpr std::size_t kSize = 36;
  constexpr std::size_t kFirstChecksumAt = 8;
  constexpr std::size_t kWholeChecksumAt = 32;
  Bytes bytes = Writer()
                    .text("RSD PTR ", 8)
                    .u8(0)
                    .text(kOem, 6)
                    .u8(2)
                    .u32(rsdt.value)
                    .u32(kSize)
                    .u64(xsdt.value)
                    .zeros(4)
                    .take();
  seal(std::span(bytes).first(kFirstPart), kFirstChecksumAt);
  seal(bytes, kWholeChecksumAt);
  return bytes;
}

Bytes rsdt(std::span<const GuestAddr> tables) {
  Writer writer;
  for (const GuestAddr at : tables) writer.u32(at.value);
  return table("RSDT", 1, writer.take());
}

Bytes xsdt(std::span<const GuestAddr> tables) {
  Writer writer;
  for (const GuestAddr at : tables) writer.u64(at.value);
  return table("XSDT", 1, writer.take());
}

Bytes facs() {
  constexpr std::size_t kSize = 64;
  constexpr std::uint8_t kVersion = 2;
  return Writer().text("FACS", 4).u32(kSize).zeros(24).u8(kVersion).zeros(31).take();
}

Bytes dsdt(const Platform& platform) {
  return table("DSDT", 2, dsdt_body(platform));  // 2: integers have 64 bits
}

Bytes waet() {
  // The RTC's interrupt wants to be acknowledged (bit 0); one read of the PM timer is enough.
  constexpr std::uint32_t kPmTimerGood = 1U << 1;
  return table("WAET", 1, Writer().u32(kPmTimerGood).take());
}

Bytes fadt(const Platform& platform, GuestAddr facs, GuestAddr dsdt) {
  Writer writer;
  writer.u32(facs.value)
      .u32(dsdt.value)
      .u8(0)
      .u8(0)  // preferred power profile: unspecified
      .u16(platform.sci)
      .u32(0)     // SMI_CMD: ACPI is always on
      .zeros(4);  // ACPI_ENABLE, ACPI_DISABLE, S4BIOS_REQ, PSTATE_CNT
  writer.u32(platform.pm1_event)
      .u32(0)
      .u32(platform.pm1_control)
      .u32(0)
      .u32(0)  // PM2_CNT_BLK
      .u32(platform.pm_timer)
      .u32(0)  // GPE0_BLK
      .u32(0)  // GPE1_BLK
      .u8(4)   // PM1_EVT_LEN
      .u8(2)   // PM1_CNT_LEN
      .u8(0)
      .u8(4)     // PM_TMR_LEN
      .zeros(4)  // GPE0_BLK_LEN, GPE1_BLK_LEN, GPE1_BASE, CST_CNT
      .u16(kNoC2)
      .u16(kNoC3)
      .zeros(8)  // FLUSH_SIZE, FLUSH_STRIDE, DUTY_OFFSET, DUTY_WIDTH, DAY_ALRM, MON_ALRM
      .u8(platform.cmos_century)
      .u16(kLegacyDevices | kNoVga | kNoAspm)
      .u8(0)
      .u32(kWbinvd | kHaltIsC1 | kNoSleepButton | kNoRtcWakeStatus | kResetRegister)
      .bytes(port(platform.reset_port, 8, 1))
      .u8(platform.reset_value)
      .u16(0)  // ARM_BOOT_ARCH
      .u8(5)   // minor version
      .u64(0)  // X_FIRMWARE_CTRL: FIRMWARE_CTRL holds it
      .u64(dsdt.value)
      .bytes(port(platform.pm1_event, 32, 2))
      .zeros(kAddressSize)
      .bytes(port(platform.pm1_control, 16, 2))
      .zeros(kAddressSize)
      .zeros(kAddressSize)  // X_PM2_CNT_BLK
      .bytes(port(platform.pm_timer, 32, 3))
      .zeros(4 * kAddressSize)  // X_GPE0_BLK, X_GPE1_BLK, SLEEP_CONTROL_REG, SLEEP_STATUS_REG
      .text("VMCTL", 8, '\0');  // the hypervisor's vendor
  return table("FACP", 6, writer.take());
}

Bytes madt(const Platform& platform) {
  constexpr std::uint32_t kPcAtCompatible = 1;  // there are 8259As, too
  constexpr std::uint32_t kEnabled = 1;
  Writer writer;
  writer.u32(platform.apics->local.value).u32(kPcAtCompatible);
  for (std::uint32_t id = 0; id < platform.cpus; ++id) {
    if (id < kApicIds)
      writer.u8(0).u8(8).u8(id).u8(id).u32(kEnabled);
    else
      writer.u8(9).u8(16).u16(0).u32(id).u32(kEnabled).u32(id);
  }
  writer.u8(1).u8(12).u8(0).u8(0).u32(platform.apics->io.value).u32(0);
  // ISA's IRQ 0 is the IOAPIC's pin 2; the SCI is a level.
  writer.u8(2).u8(10).u8(0).u8(0).u32(2).u16(0);
  writer.u8(2).u8(10).u8(0).u8(platform.sci).u32(platform.sci).u16(kActiveHigh | kLevel);
  // NMI is every local APIC's LINT1.
  writer.u8(4).u8(6).u8(0xff).u16(0).u8(1);
  if (platform.cpus > kApicIds) writer.u8(10).u8(12).u16(0).u32(0xffffffff).u8(1).zeros(3);
  return table("APIC", 6, writer.take());
}

}  // namespace vmctl::firmware
