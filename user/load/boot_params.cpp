// SPDX-License-Identifier: GPL-2.0
#include "load/boot_params.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "base/size.hpp"

namespace vmctl {
namespace {

static_assert(sizeof(boot_params) == 4096);
static_assert(offsetof(boot_params, hdr) == 0x1f1);

constexpr std::uint64_t kPage = 0x1000;
constexpr GuestAddr kMiB{0x100000};
constexpr GuestAddr k4GiB{0x100000000};
constexpr std::uint64_t kInitrdAlignment = 4;  // of cpio archives: Documentation/driver-api/
                                               // early-userspace/buffer-format.rst
constexpr std::uint8_t kOtherLoader = 0xff;    // boot.rst, type_of_loader: "undefined"

std::vector<std::uint8_t> bytes_of(const auto& value) {
  std::vector<std::uint8_t> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// What is more than the kernel takes; `fault` names the field of the header, which a vmlinux has
// not in its file.
Failure over_limit(const Source& image, const setup_header& header, const Fault& fault) {
  if (header.jump != 0) return reject(image, fault);
  return fail({.status = Status::bad_image,
               .what = "cannot load the image",
               .where = image.path(),
               .why = fmt::format("{}: {}; allowed: {}", fault.field, fault.found, fault.allowed),
               .advice = fault.advice});
}

// Below 1 MiB where there is room, which is far from kernel and initrd; never at 0.
Result<GuestAddr> place_low(Room& room, std::string_view name, std::uint64_t size) {
  constexpr std::uint64_t kAlign = 16;
  if (auto low = room.place(name, size, kAlign, GuestAddr{kPage}, kMiB)) return low;
  return room.place(name, size, kAlign, kMiB, k4GiB);
}

Result<> add_command_line(LoadPlan& plan, Room& room, const std::string& text, const Source& image,
                          setup_header& header) {
  if (text.find('\0') != std::string::npos)
    return fail(
        {.status = Status::usage,
         .what = "--append",
         .why = fmt::format("a NUL at byte {}, where a command line ends", text.find('\0'))});
  const std::uint32_t limit = header.cmdline_size;  // without the NUL
  if (text.size() > limit)
    return over_limit(image, header,
                      {.field = "cmdline_size",
                       .offset = offsetof(boot_params, hdr.cmdline_size),
                       .found = fmt::format("a command line of {} bytes", text.size()),
                       .allowed = fmt::format("at most {}", limit),
                       .advice = "shorten what is given with --append"});
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.push_back(0);
  const GuestAddr at = TRY(place_low(room, "the command line", bytes.size()));
  header.cmd_line_ptr = static_cast<std::uint32_t>(at.value);
  plan.blocks.push_back({.name = "command line", .gpa = at, .bytes = std::move(bytes)});
  return {};
}

Result<> check_initrds(const std::vector<BootFile>& files) {
  for (const BootFile& file : files)
    if (!file.arguments.empty())
      return fail({.status = Status::usage,
                   .what = fmt::format("--initrd {},{}", file.source->path(), file.arguments),
                   .why = "Linux takes an initrd without arguments",
                   .advice = "what the kernel is to be told goes into --append"});
  return {};
}

// Where memory ends by the command line's own word, the last mem= (boot.rst, special options).
std::uint64_t memory_by_command_line(std::string_view text) {
  std::uint64_t end = k4GiB.value;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!word.starts_with("mem=")) continue;
    if (const auto size = parse_size(word.substr(4))) end = *size;
  }
  return end;
}

// One behind the other, each at a multiple of 4, as high as can be: the kernel unpacks itself, and
// grows, at the lower end.
Result<> add_initrds(LoadPlan& plan, Room& room, const BootRequest& request, const Source& image,
                     setup_header& header) {
  const std::vector<BootFile>& files = request.files;
  TRY(check_initrds(files));
  const auto padded = [](std::uint64_t size) {
    return (size + kInitrdAlignment - 1) / kInitrdAlignment * kInitrdAlignment;
  };
  const std::uint64_t last = header.initrd_addr_max;  // the last byte that it may lie at
  const std::uint64_t end = std::min(last + 1, memory_by_command_line(request.command_line));
  std::uint64_t total = 0;
  for (const BootFile& file : files) {
    const std::uint64_t size = file.source->size();
    if (size > end || padded(size) > end - total)
      return over_limit(
          image, header,
          {.field = "initrd_addr_max",
           .offset = offsetof(boot_params, hdr.initrd_addr_max),
           .found = fmt::format("the initrd {} of {:#x} bytes", file.source->path(), size),
           .allowed = fmt::format("{:#x} bytes in all, below {:#x}", end, end),
           .advice = "a smaller initrd"});
    total += padded(size);
  }
  if (total == 0) return {};
  auto placed = room.place("the initrd", total, kPage, kMiB, GuestAddr{end}, Room::From::top);
  if (!placed) {
    placed.error().where += fmt::format(", {}", files.front().source->path());
    placed.error().why +=
        fmt::format("; {} takes it up to {:#x}, its initrd_addr_max{}", image.path(), last,
                    header.jump != 0 ? " at offset 0x22c" : "");
    placed.error().advice = "give the guest more with --mem, or a smaller initrd";
    return fail(std::move(placed.error()));
  }
  header.ramdisk_image = static_cast<std::uint32_t>(placed->value);
  header.ramdisk_size = static_cast<std::uint32_t>(total);
  GuestAddr at = *placed;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t size = files[i].source->size();
    plan.segments.push_back({.file = i + 1,
                             .offset = 0,
                             .length = size,
                             .gpa = at,
                             .memory_length = padded(size),
                             .name = "initrd"});
    at.value += padded(size);
  }
  return {};
}

// struct setup_data, then its bytes (boot.rst, setup_data; since protocol 2.09).
Result<> add_seed(LoadPlan& plan, Room& room, const BootRequest& request, setup_header& header) {
  header.setup_data = 0;
  if (!request.rng_seed || header.version < 0x209) return {};
  const setup_data head{.next = 0,
                        .type = SETUP_RNG_SEED,
                        .len = static_cast<std::uint32_t>(request.rng_seed->size())};
  std::vector<std::uint8_t> bytes = bytes_of(head);
  bytes.insert(bytes.end(), request.rng_seed->begin(), request.rng_seed->end());
  const GuestAddr at = TRY(place_low(room, "the random seed", bytes.size()));
  header.setup_data = at.value;
  plan.blocks.push_back({.name = "random seed", .gpa = at, .bytes = std::move(bytes)});
  return {};
}

Result<> add_memory_map(boot_params& params, const std::vector<MemoryMapEntry>& map) {
  if (map.size() > E820_MAX_ENTRIES_ZEROPAGE)
    return fail({.status = Status::bad_image,
                 .what = "the memory map does not fit into Linux's zero page",
                 .why = fmt::format("it has {} entries; allowed: {}", map.size(),
                                    E820_MAX_ENTRIES_ZEROPAGE)});
  params.e820_entries = static_cast<std::uint8_t>(map.size());
  for (std::size_t i = 0; i < map.size(); ++i)
    params.e820_table[i] = {.addr = map[i].base.value,
                            .size = map[i].size,
                            .type = static_cast<std::uint32_t>(map[i].type)};
  return {};
}

}  // namespace

boot_params vmlinux_boot_params() {
  boot_params params{};
  params.hdr.boot_flag = 0xaa55;
  params.hdr.header = 0x53726448;  // "HdrS"
  params.hdr.version = 0x20f;
  params.hdr.loadflags = LOADED_HIGH;
  params.hdr.initrd_addr_max = 0x7fffffff;
  params.hdr.kernel_alignment = 0x200000;
  params.hdr.relocatable_kernel = 0;
  params.hdr.xloadflags = XLF_KERNEL_64;
  params.hdr.cmdline_size = 2047;  // COMMAND_LINE_SIZE of x86, less the NUL
  return params;
}

Result<> add_boot_params(LoadPlan& plan, Room& room, const BootRequest& request,
                         const Source& image, boot_params params) {
  // In a copy that is aligned; the one in boot_params is not.
  setup_header header = params.hdr;
  header.type_of_loader = kOtherLoader;
  TRY(add_command_line(plan, room, request.command_line, image, header));
  TRY(add_initrds(plan, room, request, image, header));
  TRY(add_seed(plan, room, request, header));
  params.hdr = header;
  params.acpi_rsdp_addr = request.rsdp.value;
  TRY(add_memory_map(params, request.memory_map));
  const GuestAddr at = TRY(place_low(room, "the zero page", sizeof params));
  plan.entry.rsi = at.value;
  plan.blocks.push_back({.name = "zero page", .gpa = at, .bytes = bytes_of(params)});
  return {};
}

}  // namespace vmctl
