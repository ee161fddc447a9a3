// SPDX-License-Identifier: GPL-2.0
#include "load/bzimage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/size.hpp"
#include "load/boot_params.hpp"
#include "load/boot_tables.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr GuestAddr kMiB{0x100000};
constexpr GuestAddr k4GiB{0x100000000};
constexpr std::uint64_t kPhysicalAddressExtension = 1ULL << 36;
constexpr std::uint64_t kEntry64 = 0x200;  // boot.rst, 64-bit boot protocol

constexpr std::uint16_t kBootFlag = 0xaa55;
constexpr std::uint32_t kMagic = 0x53726448;  // "HdrS"
constexpr std::uint64_t kHeaderOffset = offsetof(boot_params, hdr);
constexpr std::uint64_t kHeaderRoom = offsetof(boot_params, edd_mbr_sig_buffer) - kHeaderOffset;

constexpr std::uint16_t kOldest = 0x206;
constexpr std::uint16_t kWithPayload = 0x208;
constexpr std::uint16_t kWithInitSize = 0x20a;
constexpr std::uint16_t kWithEntry64 = 0x20c;

// Where the header ends, at the least, from this version of the protocol on.
struct HeaderEnd {
  std::uint16_t version;
  std::uint64_t end;
};
constexpr std::array kHeaderEnds{
    HeaderEnd{.version = kOldest, .end = offsetof(boot_params, hdr.hardware_subarch)},
    HeaderEnd{.version = kWithPayload, .end = offsetof(boot_params, hdr.setup_data)},
    HeaderEnd{.version = 0x209, .end = offsetof(boot_params, hdr.pref_address)},
    HeaderEnd{.version = kWithInitSize, .end = offsetof(boot_params, hdr.handover_offset)},
};

// What the file says of itself, read once.
struct Setup {
  boot_params params{};
  setup_header header{};   // as in params, where it can be used
  std::uint64_t code = 0;  // of the protected-mode kernel: its offset in the file
  std::uint64_t size = 0;  // and its length
  bool entry64 = false;
};

std::string protocol_name(std::uint16_t version) {
  return fmt::format("{}.{:02}", version >> 8, version & 0xff);
}

Result<> check_magic(const Source& image, const setup_header& header) {
  if (header.boot_flag != kBootFlag)
    return reject(image, {.field = "boot_flag",
                          .offset = offsetof(boot_params, hdr.boot_flag),
                          .found = fmt::format("{:#x}", std::uint16_t{header.boot_flag}),
                          .allowed = fmt::format("{:#x}", kBootFlag),
                          .advice = "this is no bzImage"});
  if (header.header != kMagic)
    return reject(image, {.field = "header",
                          .offset = offsetof(boot_params, hdr.header),
                          .found = fmt::format("{:#x}", std::uint32_t{header.header}),
                          .allowed = fmt::format("{:#x}, \"HdrS\"", kMagic),
                          .advice = "this is no bzImage"});
  if (header.version < kOldest)
    return reject(image, {.field = "version",
                          .offset = offsetof(boot_params, hdr.version),
                          .found = fmt::format("boot protocol {}", protocol_name(header.version)),
                          .allowed = fmt::format("{} and later", protocol_name(kOldest)),
                          .advice = "a kernel from 2.6.22 on has it"});
  return {};
}

// One copy, out of which all is taken. What a later protocol has added stays in params.
Result<> read_header(const Source& image, Setup& setup) {
  auto bytes = TRY(
      (read_struct<std::array<std::uint8_t, kHeaderRoom>>(image, "setup header", kHeaderOffset)));
  std::memcpy(&setup.header, bytes.data(), sizeof setup.header);
  TRY(check_magic(image, setup.header));
  // The header ends where the jump over it, an instruction of two bytes, leads to.
  const std::uint64_t end = offsetof(boot_params, hdr.header) + (setup.header.jump >> 8);
  for (const HeaderEnd& least : kHeaderEnds)
    if (setup.header.version >= least.version && end < least.end)
      return reject(image,
                    {.field = "jump",
                     .offset = offsetof(boot_params, hdr.jump),
                     .found = fmt::format("a header that ends at {:#x}", end),
                     .allowed = fmt::format("{:#x} and beyond with boot protocol {}", least.end,
                                            protocol_name(setup.header.version))});
  if (end - kHeaderOffset < kHeaderRoom)
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(end - kHeaderOffset), bytes.end(),
              std::uint8_t{0});
  std::memcpy(reinterpret_cast<std::uint8_t*>(&setup.params) + kHeaderOffset, bytes.data(),
              bytes.size());
  setup.header = setup.params.hdr;
  return {};
}

Result<> check_code(const Source& image, Setup& setup) {
  const setup_header& header = setup.header;
  if ((header.loadflags & LOADED_HIGH) == 0)
    return reject(image, {.field = "loadflags",
                          .offset = offsetof(boot_params, hdr.loadflags),
                          .found = fmt::format("{:#x}, a zImage", header.loadflags),
                          .allowed = "LOADED_HIGH (0x1) set",
                          .advice = "build the kernel as bzImage"});
  const std::uint64_t sectors = header.setup_sects == 0 ? 4 : header.setup_sects;
  setup.code = (1 + sectors) * kSector;
  if (setup.code >= image.size())
    return reject(image, {.field = "setup_sects",
                          .offset = offsetof(boot_params, hdr.setup_sects),
                          .found = fmt::format("code from {:#x} on", setup.code),
                          .allowed = fmt::format("below {:#x}, where the file ends", image.size()),
                          .advice = "the file is truncated, or not what it says it is"});
  setup.size = std::uint64_t{header.syssize} * 16;
  const std::uint64_t rest = image.size() - setup.code;
  // It is counted in 16 bytes, which the file need not fill.
  if (setup.size == 0 || setup.size - std::min<std::uint64_t>(setup.size, 15) > rest)
    return reject(image,
                  {.field = "syssize",
                   .offset = offsetof(boot_params, hdr.syssize),
                   .found = fmt::format("{:#x} bytes of code at {:#x}", setup.size, setup.code),
                   .allowed = fmt::format("1 to {:#x}, where the file ends", rest),
                   .advice = "the file is truncated, or not what it says it is"});
  setup.size = std::min(setup.size, rest);
  setup.entry64 = header.version >= kWithEntry64 && (header.xloadflags & XLF_KERNEL_64) != 0;
  if (setup.entry64 && setup.size <= kEntry64)
    return reject(image,
                  {.field = "xloadflags",
                   .offset = offsetof(boot_params, hdr.xloadflags),
                   .found = fmt::format("an entry at {:#x} of the code, which has {:#x} bytes",
                                        kEntry64, setup.size),
                   .allowed = fmt::format("more than {:#x} bytes of code", kEntry64)});
  return {};
}

Result<> check_placement(const Source& image, const setup_header& header) {
  if (header.relocatable_kernel != 0 &&
      !std::has_single_bit(std::uint32_t{header.kernel_alignment}))
    return reject(image, {.field = "kernel_alignment",
                          .offset = offsetof(boot_params, hdr.kernel_alignment),
                          .found = fmt::format("{:#x}", std::uint32_t{header.kernel_alignment}),
                          .allowed = "a power of two"});
  if (header.version < kWithInitSize) return {};
  const std::uint64_t preferred = header.pref_address;
  if (preferred < kMiB.value || preferred >= k4GiB.value)
    return reject(image, {.field = "pref_address",
                          .offset = offsetof(boot_params, hdr.pref_address),
                          .found = fmt::format("{:#x}", preferred),
                          .allowed = fmt::format("{:#x} to {:#x}", kMiB.value, k4GiB.value - 1)});
  return {};
}

// Only a kernel that knows of a 64-bit entry says by having none that it is a 32-bit one.
Result<> check_memory(const Source& image, const Setup& setup, const BootRequest& request,
                      LoadPlan& plan) {
  if (setup.entry64 || setup.header.version < kWithEntry64) return {};
  std::uint64_t last = 0;
  for (const MemoryMapEntry& entry : request.memory_map)
    if (entry.type == MemoryType::usable && entry.size > 0)
      last = std::max(last, entry.base.value + (entry.size - 1));
  if (last >= kPhysicalAddressExtension)
    return reject(image, {.field = "xloadflags",
                          .offset = offsetof(boot_params, hdr.xloadflags),
                          .found = fmt::format("a 32-bit kernel, and memory up to {:#x}", last),
                          .allowed = fmt::format("up to {:#x}, all that it can address",
                                                 kPhysicalAddressExtension - 1),
                          .advice = "give the guest less with --mem, or a 64-bit kernel"});
  if (last >= k4GiB.value)
    plan.notes.emplace_back("a 32-bit kernel: without PAE it uses none of the memory above 4G");
  return {};
}

// Takes all that the kernel uses before it looks at its memory map (boot.rst, init_size).
Result<GuestAddr> place_kernel(Room& room, const Source& image, const Setup& setup) {
  const setup_header& header = setup.header;
  const bool says = header.version >= kWithInitSize;
  const std::uint64_t size = std::max(setup.size, says ? std::uint64_t{header.init_size} : 0);
  const GuestAddr preferred{says ? std::uint64_t{header.pref_address} : kMiB.value};
  const auto explained = [&](Error error) {
    error.where += fmt::format(", {}", image.path());
    if (says)
      error.why += fmt::format("; it needs init_size, at offset {:#x}: {:#x} bytes",
                               offsetof(boot_params, hdr.init_size), size);
    return error;
  };
  if (header.relocatable_kernel == 0) {
    // Loaded at 1 MiB, it moves to where it runs by itself; what lies between is its own, too.
    const std::uint64_t end = std::max(kMiB.value + setup.size, preferred.value + size);
    auto taken = room.take("the kernel", kMiB, end - kMiB.value);
    if (!taken) return fail(explained(std::move(taken.error())));
    return kMiB;
  }
  if (size <= k4GiB.value - preferred.value && room.take("the kernel", preferred, size))
    return preferred;
  auto placed = room.place("the kernel", size, header.kernel_alignment, preferred, k4GiB);
  if (!placed) return fail(explained(std::move(placed.error())));
  return *placed;
}

// "6.1.0-57-amd64 (debian-kernel@...) #1 SMP ...": within the setup sectors, ended by a NUL.
std::string version_text(const Source& image, const Setup& setup) {
  constexpr std::uint64_t kLongest = 256;
  const std::uint64_t at = 0x200 + std::uint64_t{setup.header.kernel_version};
  if (setup.header.kernel_version == 0 || at >= setup.code) return "";
  const auto bytes =
      read_bytes(image, "kernel_version", at, std::min(kLongest, setup.code - at), kLongest);
  if (!bytes) return "";
  const auto nul = std::find(bytes->begin(), bytes->end(), std::uint8_t{0});
  if (nul == bytes->end()) return "";
  return escaped(std::string(bytes->begin(), nul));
}

std::string_view payload_kind(std::span<const std::uint8_t> head) {
  struct Magic {
    std::string_view bytes;
    std::string_view name;
  };
  constexpr std::array kMagics{
      Magic{.bytes = "\x1f\x8b", .name = "gzip"},
      Magic{.bytes = "BZh", .name = "bzip2"},
      Magic{.bytes = "\xfd"
                     "7zXZ",
            .name = "xz"},
      Magic{.bytes = {"\x5d\0\0", 3}, .name = "lzma"},
      Magic{.bytes = "\x89LZO", .name = "lzo"},
      Magic{.bytes = "\x02\x21\x4c\x18", .name = "lz4"},
      Magic{.bytes = "\x28\xb5\x2f\xfd", .name = "zstd"},
      Magic{.bytes = "\x7f"
                     "ELF",
            .name = "not compressed"},
  };
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  for (const Magic& magic : kMagics)
    if (text.starts_with(magic.bytes)) return magic.name;
  return "of an unknown kind";
}

Result<> note_payload(const Source& image, const Setup& setup, LoadPlan& plan) {
  const std::uint64_t offset = setup.header.payload_offset;
  const std::uint64_t length = setup.header.payload_length;
  if (setup.header.version < kWithPayload || length == 0) return {};
  if (offset > setup.size || length > setup.size - offset)
    return reject(image, {.field = "payload_length",
                          .offset = offsetof(boot_params, hdr.payload_length),
                          .found = fmt::format("{:#x} bytes at {:#x} of the code", length, offset),
                          .allowed = fmt::format("up to {:#x}, where the code ends", setup.size)});
  const auto head =
      TRY(read_bytes(image, "payload", setup.code + offset, std::min<std::uint64_t>(length, 8), 8));
  plan.notes.push_back(fmt::format("payload: {} bytes at {:#x}, {}", length, setup.code + offset,
                                   payload_kind(head)));
  return {};
}

Result<> add_notes(const Source& image, const Setup& setup, LoadPlan& plan) {
  const setup_header& header = setup.header;
  if (const std::string text = version_text(image, setup); !text.empty())
    plan.notes.push_back(fmt::format("Linux {}", text));
  plan.notes.push_back(fmt::format("boot protocol {}, {}", protocol_name(header.version),
                                   setup.entry64 ? "64-bit entry" : "32-bit entry"));
  TRY(note_payload(image, setup, plan));
  std::string where = header.relocatable_kernel != 0 ? "relocatable" : "not relocatable";
  if (header.version >= kWithInitSize)
    where += fmt::format(", preferred address {:#x}, needs {:#x} bytes there",
                         std::uint64_t{header.pref_address}, std::uint32_t{header.init_size});
  plan.notes.push_back(std::move(where));
  return {};
}

}  // namespace

Result<LoadPlan> plan_bzimage(const BootRequest& request, const Source& image) {
  Setup setup;
  TRY(read_header(image, setup));
  TRY(check_code(image, setup));
  TRY(check_placement(image, setup.header));
  LoadPlan plan{.format = Format::bzimage, .segments = {}, .blocks = {}, .entry = {}};
  TRY(add_notes(image, setup, plan));
  TRY(check_memory(image, setup, request, plan));

  Room room = request.room();
  const GuestAddr at = TRY(place_kernel(room, image, setup));
  plan.segments.push_back({.offset = setup.code,
                           .length = setup.size,
                           .gpa = at,
                           .memory_length = setup.size,
                           .name = "kernel"});
  plan.entry.mode = setup.entry64 ? EntryMode::long64 : EntryMode::protected32;
  plan.entry.address = GuestAddr{at.value + (setup.entry64 ? kEntry64 : 0)};
  setup.params.hdr.code32_start = static_cast<std::uint32_t>(at.value);
  TRY(add_boot_params(plan, room, request, image, setup.params));
  TRY(add_gdt(plan, room));
  if (setup.entry64) TRY(add_identity_map(plan, room));
  return plan;
}

}  // namespace vmctl
