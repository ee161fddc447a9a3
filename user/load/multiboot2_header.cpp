// SPDX-License-Identifier: GPL-2.0
#include "load/multiboot2_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "load/multiboot2.hpp"

namespace vmctl {
namespace {

constexpr std::uint64_t kSearched = 32768;
constexpr std::uint64_t kAlign = 8;
constexpr std::uint32_t kMagic = 0xe85250d6;
constexpr std::uint32_t kI386 = 0;

struct Header {  // 3.1.2
  std::uint32_t magic;
  std::uint32_t architecture;
  std::uint32_t header_length;
  std::uint32_t checksum;
};

struct Tag {  // 3.1.3
  std::uint16_t type;
  std::uint16_t flags;
  std::uint32_t size;
};
constexpr std::uint16_t kOptional = 1;
enum TagType : std::uint16_t {
  kEnd = 0,
  kInformationRequest = 1,
  kAddress = 2,
  kEntryAddress = 3,
  kConsoleFlags = 4,
  kFramebuffer = 5,
  kModuleAlignment = 6,
  kEfiBootServices = 7,
  kEfiI386Entry = 8,
  kEfiAmd64Entry = 9,
  kRelocatable = 10,
};
constexpr std::uint32_t kConsoleRequired = 1;
constexpr std::uint32_t kInformationKnown = 21;  // the last type of 3.6: image load base address

// A tag of the header, with all that is its own.
struct Placed {
  Tag tag;
  std::uint64_t at;  // in the file
  std::span<const std::uint8_t> body;

  bool optional() const { return (tag.flags & kOptional) != 0; }
};

template <class T>
Result<T> body_of(const Source& image, const Placed& placed, const char* name) {
  if (placed.body.size() < sizeof(T))
    return reject(image, {.field = fmt::format("multiboot2 {} tag, size", name),
                          .offset = placed.at + offsetof(Tag, size),
                          .found = fmt::format("{}", placed.tag.size),
                          .allowed = fmt::format("at least {}", sizeof(Tag) + sizeof(T))});
  T value;
  std::memcpy(&value, placed.body.data(), sizeof value);
  return value;
}

Result<> check_information(const Source& image, const Placed& placed) {
  if (placed.optional()) return {};
  for (std::size_t i = 0; i + sizeof(std::uint32_t) <= placed.body.size();
       i += sizeof(std::uint32_t)) {
    std::uint32_t type = 0;
    std::memcpy(&type, placed.body.data() + i, sizeof type);
    if (type > kInformationKnown)
      return reject(image, {.field = "multiboot2 information request",
                            .offset = placed.at + sizeof(Tag) + i,
                            .found = fmt::format("type {}, required", type),
                            .allowed = fmt::format("0 to {}", kInformationKnown)});
  }
  return {};
}

Result<> check_console(const Source& image, const Placed& placed) {
  const auto flags = TRY(body_of<std::uint32_t>(image, placed, "console flags"));
  if (placed.optional() || (flags & kConsoleRequired) == 0) return {};
  return reject(image, {.field = "multiboot2 console flags",
                        .offset = placed.at + sizeof(Tag),
                        .found = fmt::format("{:#x}: it requires a console on a display", flags),
                        .allowed = "bit 0 clear, as there is no display",
                        .advice = "mark the tag as optional, and let it use the serial port"});
}

Result<> take_relocatable(const Source& image, const Placed& placed, Multiboot2Header& header) {
  const auto body = TRY(body_of<Multiboot2Relocatable>(image, placed, "relocatable"));
  if (!std::has_single_bit(body.align))
    return reject(image,
                  {.field = "multiboot2 relocatable tag, align",
                   .offset = placed.at + sizeof(Tag) + offsetof(Multiboot2Relocatable, align),
                   .found = fmt::format("{:#x}", body.align),
                   .allowed = "a power of two"});
  header.relocatable = body;
  header.relocatable_at = placed.at;
  return {};
}

Result<> take_tag(const Source& image, const Placed& placed, Multiboot2Header& header) {
  switch (placed.tag.type) {
    case kInformationRequest:
      return check_information(image, placed);
    case kAddress:
      header.addresses = TRY(body_of<AddressFields>(image, placed, "address"));
      header.addresses_at = placed.at + sizeof(Tag);
      return {};
    case kEntryAddress:
      header.entry = TRY(body_of<std::uint32_t>(image, placed, "entry address"));
      header.entry_at = placed.at + sizeof(Tag);
      return {};
    case kConsoleFlags:
      return check_console(image, placed);
    case kFramebuffer:
      header.notes.emplace_back("it wishes a framebuffer: there is no display, only serial ports");
      return {};
    case kModuleAlignment:
    case kEfiBootServices:
    case kEfiI386Entry:
    case kEfiAmd64Entry:
      return {};
    case kRelocatable:
      return take_relocatable(image, placed, header);
    default:
      if (placed.optional()) return {};
      return reject(image, {.field = "multiboot2 tag, type",
                            .offset = placed.at,
                            .found = fmt::format("{}, required", placed.tag.type),
                            .allowed = "0 to 10, or with the flag that it is optional"});
  }
}

Result<> take_tags(const Source& image, std::span<const std::uint8_t> bytes,
                   Multiboot2Header& header) {
  std::size_t at = sizeof(Header);
  while (bytes.size() - at >= sizeof(Tag)) {
    Placed placed{.tag = {}, .at = header.at + at, .body = {}};
    std::memcpy(&placed.tag, bytes.data() + at, sizeof placed.tag);
    if (placed.tag.size < sizeof(Tag) || placed.tag.size > bytes.size() - at)
      return reject(image,
                    {.field = fmt::format("multiboot2 tag of type {}, size", placed.tag.type),
                     .offset = placed.at + offsetof(Tag, size),
                     .found = fmt::format("{:#x}", placed.tag.size),
                     .allowed = fmt::format("{:#x} to {:#x}", sizeof(Tag), bytes.size() - at)});
    if (placed.tag.type == kEnd) return {};
    placed.body = bytes.subspan(at + sizeof(Tag), placed.tag.size - sizeof(Tag));
    TRY(take_tag(image, placed, header));
    at +=
        std::min<std::size_t>((placed.tag.size + kAlign - 1) / kAlign * kAlign, bytes.size() - at);
  }
  return reject(image, {.field = "multiboot2 tags",
                        .offset = header.at + at,
                        .found = "header_length ends before a tag of type 0",
                        .allowed = "tags, the last of type 0"});
}

}  // namespace

Result<std::optional<std::uint64_t>> find_multiboot2(const Source& image) {
  std::vector<std::uint8_t> bytes(std::min(image.size(), kSearched));
  TRY(image.read(0, bytes));
  for (std::uint64_t at = 0; at + sizeof(Header) <= bytes.size(); at += kAlign) {
    Header header;
    std::memcpy(&header, bytes.data() + at, sizeof header);
    if (header.magic == kMagic &&
        header.magic + header.architecture + header.header_length + header.checksum == 0)
      return std::optional(at);
  }
  return std::optional<std::uint64_t>();
}

Result<Multiboot2Header> read_multiboot2_header(const Source& image) {
  const auto at = TRY(find_multiboot2(image));
  if (!at)
    return reject(image, {.field = "multiboot2 header",
                          .offset = 0,
                          .found = fmt::format("no magic {:#x} with its checksum", kMagic),
                          .allowed = "one at a multiple of 8 within the first 32768 bytes"});
  const auto raw = TRY(read_struct<Header>(image, "multiboot2 header", *at));
  if (raw.architecture != kI386)
    return reject(image, {.field = "multiboot2 architecture",
                          .offset = *at + offsetof(Header, architecture),
                          .found = fmt::format("{}", raw.architecture),
                          .allowed = "0 (i386, protected mode)"});
  const std::uint64_t most = kSearched - *at;
  if (raw.header_length < sizeof(Header) + sizeof(Tag) || raw.header_length > most)
    return reject(image, {.field = "multiboot2 header_length",
                          .offset = *at + offsetof(Header, header_length),
                          .found = fmt::format("{:#x}", raw.header_length),
                          .allowed = fmt::format("{:#x} to {:#x}, whole in the first 32768 bytes",
                                                 sizeof(Header) + sizeof(Tag), most)});
  const auto bytes = TRY(read_bytes(image, "multiboot2 header", *at, raw.header_length, most));
  Multiboot2Header header{.at = *at};
  TRY(take_tags(image, bytes, header));
  return header;
}

}  // namespace vmctl
