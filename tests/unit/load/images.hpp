// SPDX-License-Identifier: GPL-2.0
// Images made in memory for the planners, and what is asked of them.
#pragma once

#include <elf.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../../fuzz/plan_rules.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl::test {

using Bytes = std::vector<std::uint8_t>;

template <class T>
void put_at(Bytes& bytes, std::size_t at, const T& value) {
  if (bytes.size() < at + sizeof value) bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

template <class T>
T get_at(const Bytes& bytes, std::size_t at) {
  T value{};
  EXPECT_LE(at + sizeof value, bytes.size());
  if (at + sizeof value <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class... T>
Bytes words(T... values) {
  Bytes bytes;
  (put_at(bytes, bytes.size(), static_cast<std::uint32_t>(values)), ...);
  return bytes;
}

inline Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// One program header and its bytes.
struct Part {
  std::uint32_t type = PT_LOAD;
  std::uint32_t flags = PF_R | PF_X;
  std::uint64_t paddr = 0;
  std::uint64_t memsz = 0;
  Bytes bytes = {};
  std::optional<std::uint64_t> vaddr = {};  // nothing: as paddr
};

struct Elf32Types {
  using Header = Elf32_Ehdr;
  using Program = Elf32_Phdr;
  static constexpr std::uint8_t kClass = ELFCLASS32;
  static constexpr std::uint16_t kMachine = EM_386;
};
struct Elf64Types {
  using Header = Elf64_Ehdr;
  using Program = Elf64_Phdr;
  static constexpr std::uint8_t kClass = ELFCLASS64;
  static constexpr std::uint16_t kMachine = EM_X86_64;
};

// Headers, then the bytes of each part at multiples of 16.
template <class Types>
Bytes elf_image(std::uint64_t entry, const std::vector<Part>& parts) {
  typename Types::Header header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = Types::kClass;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = Types::kMachine;
  header.e_version = EV_CURRENT;
  header.e_entry = static_cast<decltype(header.e_entry)>(entry);
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(typename Types::Program);
  header.e_phnum = static_cast<std::uint16_t>(parts.size());
  Bytes image;
  put_at(image, 0, header);
  image.resize(sizeof header + parts.size() * sizeof(typename Types::Program));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    image.resize((image.size() + 15) / 16 * 16);
    const Part& part = parts[i];
    typename Types::Program program{};
    program.p_type = part.type;
    program.p_flags = part.flags;
    program.p_offset = static_cast<decltype(program.p_offset)>(image.size());
    program.p_vaddr = static_cast<decltype(program.p_vaddr)>(part.vaddr.value_or(part.paddr));
    program.p_paddr = static_cast<decltype(program.p_paddr)>(part.paddr);
    program.p_filesz = static_cast<decltype(program.p_filesz)>(part.bytes.size());
    program.p_memsz = static_cast<decltype(program.p_memsz)>(part.memsz);
    program.p_align = 16;
    put_at(image, sizeof header + i * sizeof program, program);
    image = joined(std::move(image), part.bytes);
  }
  return image;
}
inline Bytes elf32(std::uint64_t entry, const std::vector<Part>& parts) {
  return elf_image<Elf32Types>(entry, parts);
}
inline Bytes elf64(std::uint64_t entry, const std::vector<Part>& parts) {
  return elf_image<Elf64Types>(entry, parts);
}

// A note as it stands in a PT_NOTE segment of 4-byte words.
inline Bytes note(std::string_view name, std::uint32_t type, const Bytes& descriptor) {
  Bytes bytes = words(name.size() + 1, descriptor.size(), type);
  bytes.insert(bytes.end(), name.begin(), name.end());
  bytes.push_back(0);
  bytes.resize((bytes.size() + 3) / 4 * 4);
  bytes = joined(std::move(bytes), descriptor);
  bytes.resize((bytes.size() + 3) / 4 * 4);
  return bytes;
}

// 64 MiB as a PC has it.
inline BootRequest pc(std::uint64_t memory = 64ULL << 20) {
  BootRequest request;
  request.memory_end = memory;
  request.memory_map = {
      {.base = GuestAddr{0}, .size = 0x9fc00, .type = MemoryType::usable},
      {.base = GuestAddr{0x9fc00}, .size = 0x400, .type = MemoryType::reserved},
      {.base = GuestAddr{0xf0000}, .size = 0x10000, .type = MemoryType::reserved},
      {.base = GuestAddr{0x100000}, .size = memory - 0x100000, .type = MemoryType::usable}};
  return request;
}

// What of the guest's memory a plan fills at `gpa`; files are not looked into. Empty: nothing.
inline Bytes memory_at(const LoadPlan& plan, std::uint64_t gpa) {
  for (const Block& block : plan.blocks)
    if (gpa >= block.gpa.value && gpa - block.gpa.value < block.bytes.size())
      return {block.bytes.begin() + static_cast<std::ptrdiff_t>(gpa - block.gpa.value),
              block.bytes.end()};
  return {};
}

inline std::string text_at(const LoadPlan& plan, std::uint64_t gpa) {
  const Bytes bytes = memory_at(plan, gpa);
  return bytes.empty() ? "(nothing)" : reinterpret_cast<const char*>(bytes.data());
}

inline const Segment* segment_of(const LoadPlan& plan, std::string_view name) {
  for (const Segment& segment : plan.segments)
    if (segment.name == name) return &segment;
  return nullptr;
}

using Planner = Result<LoadPlan> (*)(const BootRequest&, const Source&);

// The plan, after all that holds for each.
inline std::optional<LoadPlan> sound(Planner planner, const BootRequest& request,
                                     const Bytes& image) {
  const MemorySource source(image, "boot/image");
  auto plan = planner(request, source);
  if (!plan) {
    ADD_FAILURE() << plan.error().text();
    return std::nullopt;
  }
  EXPECT_EQ(broken_rule(*plan, request, source), "");
  return *plan;
}

// Refused, and the message has all of these.
inline void expect_refused(Planner planner, const BootRequest& request, const Bytes& image,
                           const std::vector<std::string>& parts,
                           Status status = Status::bad_image) {
  const MemorySource source(image, "boot/image");
  const auto plan = planner(request, source);
  ASSERT_FALSE(plan) << "taken, not refused for " << parts.front();
  const std::string text = plan.error().text();
  EXPECT_EQ(plan.error().status, status) << text;
  for (const std::string& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
}

}  // namespace vmctl::test
