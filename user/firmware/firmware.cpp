// SPDX-License-Identifier: GPL-2.0
#include "firmware/firmware.hpp"

#include <fmt/format.h>

#include "firmware/acpi.hpp"
#include "firmware/mp_table.hpp"

namespace vmctl::firmware {
namespace {

constexpr GuestAddr kRsdt{kArea.value + 0x40};
constexpr GuestAddr kXsdt{kArea.value + 0x80};
constexpr std::uint64_t kTables = kArea.value + 0x100;
// Room for seven tables in each; there are three.
static_assert(kXsdt.value - kRsdt.value >= 36 + 4 * 7 && kTables - kXsdt.value >= 36 + 8 * 7);
constexpr std::uint64_t kAlignment = 16;
constexpr std::uint64_t kFacsAlignment = 64;

// Puts one thing after the other.
class Shelf {
 public:
  explicit Shelf(std::uint64_t at) : at_(at) {}
  GuestAddr put(std::string name, Bytes bytes, std::uint64_t alignment = kAlignment) {
    const GuestAddr gpa{(at_ + alignment - 1) / alignment * alignment};
    at_ = gpa.value + bytes.size();
    blocks_.push_back({.name = std::move(name), .gpa = gpa, .bytes = std::move(bytes)});
    return gpa;
  }
  std::uint64_t end() const { return at_; }
  std::vector<Block> take() { return std::move(blocks_); }

 private:
  std::uint64_t at_;
  std::vector<Block> blocks_;
};

Result<> check(const Shelf& shelf, GuestAddr start, GuestAddr end, std::string_view what,
               std::uint32_t cpus) {
  if (shelf.end() <= end.value) return {};
  return fail({.status = Status::usage,
               .what = fmt::format("{} for {} processors do not fit", what, cpus),
               .where = fmt::format("gpa {:#x}, {} bytes", start.value, shelf.end() - start.value),
               .why = fmt::format("there is room for {} bytes", end.value - start.value),
               .advice = "give fewer --cpus"});
}

}  // namespace

Bytes root_pointer() {
  return rsdp(kRsdt, kXsdt);
}

Result<Firmware> build(const Platform& platform) {
  Shelf acpi(kTables);
  const GuestAddr facs_at = acpi.put("FACS", facs(), kFacsAlignment);
  const GuestAddr dsdt_at = acpi.put("DSDT", dsdt(platform));
  std::vector<GuestAddr> tables{acpi.put("FACP", fadt(platform, facs_at, dsdt_at))};
  if (platform.apics) tables.push_back(acpi.put("APIC", madt(platform)));
  tables.push_back(acpi.put("WAET", waet()));
  TRY(check(acpi, kArea, kMpArea, "ACPI tables", platform.cpus));

  Firmware firmware{.blocks = {{.name = "RSDP", .gpa = kArea, .bytes = root_pointer()},
                               {.name = "RSDT", .gpa = kRsdt, .bytes = rsdt(tables)},
                               {.name = "XSDT", .gpa = kXsdt, .bytes = xsdt(tables)}},
                    .rsdp = kArea};
  for (Block& block : acpi.take()) firmware.blocks.push_back(std::move(block));
  if (!platform.apics) return firmware;

  Shelf mp(kMpArea.value);
  mp.put("MP pointer", mp_pointer(GuestAddr{kMpArea.value + kAlignment}));
  mp.put("MP table", mp_table(platform));
  TRY(check(mp, kMpArea, kAreaEnd, "MP tables", platform.cpus));
  for (Block& block : mp.take()) firmware.blocks.push_back(std::move(block));
  return firmware;
}

}  // namespace vmctl::firmware
