// SPDX-License-Identifier: GPL-2.0
#include "firmware/aml.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace vmctl::firmware::aml {
namespace {

enum Op : std::uint8_t {
  kZero = 0x00,
  kOne = 0x01,
  kName = 0x08,
  kByte = 0x0a,
  kWord = 0x0b,
  kDword = 0x0c,
  kQword = 0x0e,
  kScope = 0x10,
  kBuffer = 0x11,
  kPackage = 0x12,
  kMethod = 0x14,
  kDualName = 0x2e,
  kMultiName = 0x2f,
  kExtended = 0x5b,
  kDevice = 0x82,  // after kExtended
  kArg0 = 0x68,
  kStore = 0x70,
  kIf = 0xa0,
  kElse = 0xa1,
  kReturn = 0xa4,
};

Bytes op(std::uint8_t code) {
  return {code};
}

// PkgLength (20.2.4) counts itself: one byte up to 63, else two to four.
Bytes pkg_length(std::size_t content) {
  if (content + 1 < 0x40) return {static_cast<std::uint8_t>(content + 1)};
  std::size_t more = 1;
  while (more < 3 && content + 1 + more >= std::size_t{1} << (4 + 8 * more)) ++more;
  const std::size_t length = content + 1 + more;
  Bytes bytes{static_cast<std::uint8_t>(more << 6 | (length & 0xf))};
  for (std::size_t i = 0; i < more; ++i)
    bytes.push_back(static_cast<std::uint8_t>(length >> (4 + 8 * i)));
  return bytes;
}

Bytes sized(const Bytes& code, const Bytes& content) {
  return join({code, pkg_length(content.size()), content});
}

// Address space descriptors (6.4.3.5): a producer, both ends fixed, positive decode.
Bytes window(std::uint8_t tag, std::uint8_t type, std::uint8_t flags, unsigned width,
             std::uint64_t first, std::uint64_t last) {
  constexpr std::uint8_t kFixed = 0x0c;
  Writer writer;
  const auto number = [&](std::uint64_t value) {
    width == 2 ? writer.u16(value) : writer.u32(value);
  };
  writer.u8(tag).u16(3 + 5 * width).u8(type).u8(kFixed).u8(flags);
  number(0);  // granularity
  number(first);
  number(last);
  number(0);  // translation
  number(last - first + 1);
  return writer.take();
}

constexpr std::uint8_t kWordSpace = 0x88;
constexpr std::uint8_t kDwordSpace = 0x87;

}  // namespace

Bytes join(std::initializer_list<Bytes> terms) {
  Bytes all;
  for (const Bytes& term : terms) all.insert(all.end(), term.begin(), term.end());
  return all;
}

Bytes name_string(std::string_view path) {
  Writer writer;
  if (path.starts_with('\\')) {
    writer.u8('\\');
    path.remove_prefix(1);
  }
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    const std::size_t dot = std::min(path.find('.'), path.size());
    segments.push_back(path.substr(0, dot));
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  if (segments.empty()) writer.u8(0);  // NullName
  if (segments.size() == 2) writer.u8(kDualName);
  if (segments.size() > 2) writer.u8(kMultiName).u8(segments.size());
  for (const std::string_view segment : segments) writer.text(segment, 4, '_');
  return writer.take();
}

Bytes integer(std::uint64_t value) {
  Writer writer;
  if (value <= 1)
    writer.u8(value == 0 ? kZero : kOne);
  else if (value <= 0xff)
    writer.u8(kByte).u8(value);
  else if (value <= 0xffff)
    writer.u8(kWord).u16(value);
  else if (value <= 0xffffffff)
    writer.u8(kDword).u32(value);
  else
    writer.u8(kQword).u64(value);
  return writer.take();
}

Bytes eisa_id(std::string_view id) {
  const auto letter = [&](std::size_t at) { return static_cast<std::uint32_t>(id[at] - '@'); };
  const std::uint32_t maker = letter(0) << 10 | letter(1) << 5 | letter(2);
  const auto product =
      static_cast<std::uint32_t>(std::stoul(std::string(id.substr(3)), nullptr, 16));
  // Both with their high byte first.
  return Writer()
      .u8(kDword)
      .u8(maker >> 8)
      .u8(maker & 0xff)
      .u8(product >> 8)
      .u8(product & 0xff)
      .take();
}

Bytes package(std::span<const Bytes> elements) {
  Bytes content{static_cast<std::uint8_t>(elements.size())};
  for (const Bytes& element : elements)
    content.insert(content.end(), element.begin(), element.end());
  return sized(op(kPackage), content);
}

Bytes buffer(const Bytes& bytes) {
  return sized(op(kBuffer), join({integer(bytes.size()), bytes}));
}

Bytes name(std::string_view path, const Bytes& value) {
  return join({op(kName), name_string(path), value});
}

Bytes scope(std::string_view path, const Bytes& body) {
  return sized(op(kScope), join({name_string(path), body}));
}

Bytes device(std::string_view path, const Bytes& body) {
  return sized({kExtended, kDevice}, join({name_string(path), body}));
}

Bytes method(std::string_view path, unsigned arguments, const Bytes& body) {
  return sized(op(kMethod),
               join({name_string(path), {static_cast<std::uint8_t>(arguments & 7)}, body}));
}

Bytes argument(unsigned number) {
  return {static_cast<std::uint8_t>(kArg0 + number)};
}

Bytes store(const Bytes& value, std::string_view path) {
  return join({op(kStore), value, name_string(path)});
}

Bytes return_of(const Bytes& value) {
  return join({op(kReturn), value});
}

Bytes if_else(const Bytes& condition, const Bytes& then, const Bytes& otherwise) {
  return join({sized(op(kIf), join({condition, then})), sized(op(kElse), otherwise)});
}

Bytes io_ports(std::uint16_t base, std::uint8_t size) {
  constexpr std::uint8_t kTag = 0x47;  // 6.4.2.5: small, type 8, 7 bytes
  constexpr std::uint8_t kDecode16 = 1;
  return Writer().u8(kTag).u8(kDecode16).u16(base).u16(base).u8(1).u8(size).take();
}

Bytes irq(unsigned number) {
  constexpr std::uint8_t kTag = 0x22;  // 6.4.2.1: small, type 4, 2 bytes
  return Writer().u8(kTag).u16(1ULL << number).take();
}

Bytes bus_numbers(std::uint16_t first, std::uint16_t last) {
  constexpr std::uint8_t kBus = 2;
  return window(kWordSpace, kBus, 0, 2, first, last);
}

Bytes io_window(std::uint16_t first, std::uint16_t last) {
  constexpr std::uint8_t kIo = 1;
  constexpr std::uint8_t kEntireRange = 3;
  return window(kWordSpace, kIo, kEntireRange, 2, first, last);
}

Bytes memory_window(std::uint32_t first, std::uint32_t last) {
  constexpr std::uint8_t kMemory = 0;
  constexpr std::uint8_t kReadWrite = 1;  // and not to be cached
  return window(kDwordSpace, kMemory, kReadWrite, 4, first, last);
}

Bytes resources(std::initializer_list<Bytes> descriptors) {
  constexpr std::uint8_t kEndTag = 0x79;  // 6.4.2.9; a checksum of 0 counts as right
  return buffer(join({join(descriptors), {kEndTag, 0}}));
}

}  // namespace vmctl::firmware::aml
