// SPDX-License-Identifier: GPL-2.0
#include "load/linux_elf.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace vmctl {
namespace {

constexpr std::uint32_t kBuildSalt = 0x100;  // LINUX_ELFNOTE_BUILD_SALT
constexpr std::uint32_t kLto = 0x101;        // LINUX_ELFNOTE_LTO_INFO
constexpr std::uint32_t kGuestOs = 6;        // XEN_ELFNOTE_GUEST_OS

constexpr std::uint64_t kStartKernelMap = 0xffffffff80000000;
constexpr std::uint64_t kPageOffset32 = 0xc0000000;

bool says_linux(const ElfNote& note) {
  if (note.name == "Linux") return note.type == kBuildSalt || note.type == kLto;
  if (note.name != "Xen" || note.type != kGuestOs) return false;
  const std::string_view os(reinterpret_cast<const char*>(note.descriptor.data()),
                            note.descriptor.size());
  return os.substr(0, os.find('\0')) == "linux";
}

}  // namespace

bool is_linux(const ElfFile& elf, const std::vector<ElfNote>& notes) {
  if (std::any_of(notes.begin(), notes.end(), says_linux)) return true;
  const std::uint64_t above = elf.bits == ElfClass::elf64 ? kStartKernelMap : kPageOffset32;
  return std::any_of(elf.segments.begin(), elf.segments.end(), [&](const ElfSegment& segment) {
    return segment.type == PT_LOAD && segment.vaddr - segment.paddr == above &&
           elf.entry >= segment.paddr && elf.entry - segment.paddr < segment.memsz;
  });
}

Result<> check_linux_by_pvh(const BootRequest& request) {
  if (request.command_line.size() > kLinuxCommandLineMax)
    return fail({.status = Status::bad_image,
                 .what = "the command line is too long for Linux",
                 .why = fmt::format("{} bytes; allowed: {}, its COMMAND_LINE_SIZE less one",
                                    request.command_line.size(), kLinuxCommandLineMax),
                 .advice = "shorten what is given with --append"});
  if (request.files.size() > 1)
    return fail({.status = Status::usage,
                 .what = fmt::format("{} files with --initrd", request.files.size()),
                 .why = "Linux takes one when it is started by PVH",
                 .advice = "give --format vmlinux, or one initrd"});
  if (!request.files.empty() && !request.files.front().arguments.empty())
    return fail({.status = Status::usage,
                 .what = fmt::format("--initrd {},{}", request.files.front().source->path(),
                                     request.files.front().arguments),
                 .why = "Linux takes an initrd without arguments",
                 .advice = "what the kernel is to be told goes into --append"});
  return {};
}

}  // namespace vmctl
