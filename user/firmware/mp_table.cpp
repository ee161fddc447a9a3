// SPDX-License-Identifier: GPL-2.0
#include "firmware/mp_table.hpp"

#include <algorithm>

namespace vmctl::firmware {
namespace {

constexpr std::uint8_t kRevision = 4;  // 1.4
constexpr std::uint32_t kProcessorsMax = 255;

enum EntryType : std::uint8_t { kProcessor, kBus, kIoApic, kIoInterrupt, kLocalInterrupt };
enum InterruptType : std::uint8_t { kInt, kNmi, kSmi, kExtInt };
enum BusId : std::uint8_t { kPciBus, kIsaBus };

constexpr std::uint8_t kIoApicId = 0;
constexpr std::uint8_t kAllLocalApics = 0xff;
constexpr std::uint16_t kConforming = 0;  // to the bus
constexpr std::uint16_t kLevelActiveHigh = 3U << 2 | 1;

class Entries {
 public:
  Writer& add() {
    ++count_;
    return writer_;
  }
  void interrupt(EntryType entry, InterruptType type, std::uint16_t flags, BusId bus, unsigned irq,
                 std::uint8_t apic, unsigned pin) {
    add().u8(entry).u8(type).u16(flags).u8(bus).u8(irq).u8(apic).u8(pin);
  }
  std::size_t count() const { return count_; }
  Bytes take() { return writer_.take(); }

 private:
  Writer writer_;
  std::size_t count_ = 0;
};

void add_interrupts(Entries& entries, const Platform& platform) {
  constexpr unsigned kIsaLines = 16;
  constexpr unsigned kTimer = 0;
  constexpr unsigned kCascade = 2;  // whose pin the timer has
  for (unsigned irq = 0; irq < kIsaLines; ++irq)
    if (irq != kCascade)
      entries.interrupt(kIoInterrupt, kInt, irq == platform.sci ? kLevelActiveHigh : kConforming,
                        kIsaBus, irq, kIoApicId, irq == kTimer ? kCascade : irq);
  if (platform.pci)
    for (const Platform::Pci::Route& route : platform.pci->routes)
      entries.interrupt(kIoInterrupt, kInt, kConforming, kPciBus,
                        static_cast<unsigned>(route.slot) << 2 | route.pin, kIoApicId, route.gsi);
  // As firmware leaves them: the 8259As reach the first processor, NMI all.
  entries.interrupt(kLocalInterrupt, kExtInt, kConforming, kIsaBus, 0, 0, 0);
  entries.interrupt(kLocalInterrupt, kNmi, kConforming, kIsaBus, 0, kAllLocalApics, 1);
}

}  // namespace

Bytes mp_pointer(GuestAddr table) {
  constexpr std::size_t kChecksumAt = 10;
  Bytes bytes = Writer().text("_MP_", 4).u32(table.value).u8(1).u8(kRevision).u8(0).zeros(5).take();
  seal(bytes, kChecksumAt);
  return bytes;
}

Bytes mp_table(const Platform& platform) {
  constexpr std::uint8_t kLocalApicVersion = 0x14;
  constexpr std::uint8_t kIoApicVersion = 0x11;
  constexpr std::uint8_t kEnabled = 1;
  constexpr std::uint8_t kBootProcessor = 2;
  constexpr std::size_t kHeaderSize = 44;
  constexpr std::size_t kChecksumAt = 7;

  Entries entries;
  for (std::uint32_t id = 0; id < std::min(platform.cpus, kProcessorsMax); ++id)
    entries.add()
        .u8(kProcessor)
        .u8(id)
        .u8(kLocalApicVersion)
        .u8(id == 0 ? kEnabled | kBootProcessor : kEnabled)
        .u32(platform.cpu_signature)
        .u32(platform.cpu_features)
        .zeros(8);
  if (platform.pci) entries.add().u8(kBus).u8(kPciBus).text("PCI", 6);
  entries.add().u8(kBus).u8(kIsaBus).text("ISA", 6);
  entries.add()
      .u8(kIoApic)
      .u8(kIoApicId)
      .u8(kIoApicVersion)
      .u8(kEnabled)
      .u32(platform.apics->io.value);
  add_interrupts(entries, platform);

  const std::size_t count = entries.count();
  const Bytes body = entries.take();
  Bytes bytes = Writer()
                    .text("PCMP", 4)
                    .u16(kHeaderSize + body.size())
                    .u8(kRevision)
                    .u8(0)
                    .text("VMCTL", 8)
                    .text("VMCTLPC", 12)
                    .u32(0)  // no table of the OEM's
                    .u16(0)
                    .u16(count)
                    .u32(platform.apics->local.value)
                    .zeros(4)  // no extended table
                    .bytes(body)
                    .take();
  seal(bytes, kChecksumAt);
  return bytes;
}

}  // namespace vmctl::firmware
