// SPDX-License-Identifier: GPL-2.0
#include "load/pvh.hpp"

#include <gtest/gtest.h>

#include "images.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint64_t kAt = 0x1000000;
constexpr std::uint32_t kEntryNote = 18;

Bytes kernel(const Bytes& notes, std::uint64_t paddr = kAt) {
  return elf64(0, {{.paddr = paddr, .memsz = 0x3000, .bytes = Bytes(0x100, 0x90)},
                   {.type = PT_NOTE, .flags = PF_R, .memsz = notes.size(), .bytes = notes}});
}

Bytes entry_note(std::uint32_t entry) {
  return note("Xen", kEntryNote, words(entry, 0));
}

template <class T>
T info(const LoadPlan& plan, std::size_t field) {
  return get_at<T>(memory_at(plan, plan.entry.rbx + field), 0);
}

TEST(Pvh, StartsWhereTheNoteSays) {
  for (const Bytes& one : {entry_note(kAt + 0x10), note("Xen", kEntryNote, words(kAt + 0x10))}) {
    const auto plan = sound(plan_pvh, pc(), kernel(joined(note("GNU", 3, words(1)), one)));
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->format, Format::pvh);
    EXPECT_EQ(plan->entry.mode, EntryMode::protected32);
    EXPECT_EQ(plan->entry.address, GuestAddr{kAt + 0x10});
    EXPECT_EQ(plan->entry.rax, 0U);
  }
}

TEST(Pvh, HasItsStartInfo) {
  BootRequest request = pc();
  request.command_line = "console=ttyS0";
  request.rsdp = GuestAddr{0xf1230};
  const Bytes bytes(0x1001, 7);
  const MemorySource file(bytes, "dir/initrd");
  request.files = {{.source = &file, .arguments = "arguments"}};
  const auto plan = sound(plan_pvh, request, kernel(entry_note(kAt)));
  ASSERT_TRUE(plan);
  EXPECT_EQ(info<std::uint32_t>(*plan, 0), 0x336ec578U);
  EXPECT_EQ(info<std::uint32_t>(*plan, 4), 1U);
  EXPECT_EQ(info<std::uint32_t>(*plan, 8), 0U);
  EXPECT_EQ(info<std::uint32_t>(*plan, 12), 1U);
  const auto list = info<std::uint64_t>(*plan, 16);
  EXPECT_EQ(text_at(*plan, info<std::uint64_t>(*plan, 24)), "console=ttyS0");
  EXPECT_EQ(info<std::uint64_t>(*plan, 32), 0xf1230U);
  const auto map = info<std::uint64_t>(*plan, 40);
  EXPECT_EQ(info<std::uint32_t>(*plan, 48), 4U);
  const Bytes module = memory_at(*plan, list);
  EXPECT_EQ(get_at<std::uint64_t>(module, 0), kAt + 0x3000);
  EXPECT_EQ(get_at<std::uint64_t>(module, 8), 0x1001U);
  EXPECT_EQ(text_at(*plan, get_at<std::uint64_t>(module, 16)), "arguments");
  const Bytes entries = memory_at(*plan, map);
  EXPECT_EQ(get_at<std::uint64_t>(entries, 8), 0x9fc00U);
  EXPECT_EQ(get_at<std::uint32_t>(entries, 16), 1U);
  EXPECT_EQ(get_at<std::uint64_t>(entries, 72), 0x100000U);
  EXPECT_EQ(get_at<std::uint32_t>(entries, 24 + 16), 2U);
}

TEST(Pvh, WithoutFilesThereIsNoList) {
  const auto plan = sound(plan_pvh, pc(), kernel(entry_note(kAt)));
  ASSERT_TRUE(plan);
  EXPECT_EQ(info<std::uint32_t>(*plan, 12), 0U);
  EXPECT_EQ(info<std::uint64_t>(*plan, 16), 0U);
}

TEST(Pvh, ABadNoteIsNamed) {
  const auto refused = [](const Bytes& notes, const std::vector<std::string>& parts) {
    expect_refused(plan_pvh, pc(), kernel(notes), parts);
  };
  refused(note("GNU", kEntryNote, words(kAt)), {"no note XEN_ELFNOTE_PHYS32_ENTRY", "CONFIG_PVH"});
  refused(note("Xen", kEntryNote + 1, words(kAt)), {"no note"});
  refused({}, {"no note"});
  refused(note("Xen", kEntryNote, words(kAt, 0, 0)),
          {"PHYS32_ENTRY at offset", "12 bytes", "4 or 8"});
  refused(note("Xen", kEntryNote, words(kAt, 1)), {"0x101000000", "below 4 GiB"});
  refused(entry_note(kAt + 0x3000), {"PHYS32_ENTRY", "0x1003000", "that a segment is loaded to"});
  Bytes cut = entry_note(kAt);
  cut.resize(cut.size() - 1);
  refused(cut, {"program header 1, note at offset", "n_descsz 0x8"});
  refused(words(0xffffffff, 0xffffffff, kEntryNote), {"n_namesz 0xffffffff, n_descsz 0xffffffff"});
  refused(Bytes((64 << 10) + 1), {"program header 1, notes at offset", "at most 0x10000"});
}

TEST(Pvh, BytesBehindTheLastNoteAreNoNote) {
  EXPECT_TRUE(sound(plan_pvh, pc(), kernel(joined(entry_note(kAt), Bytes(8, 0xff)))));
}

TEST(Pvh, LinuxHasALimitForItsCommandLineAndTakesOneInitrd) {
  const Bytes linux_kernel = kernel(joined(note("Linux", 0x100, words(0)), entry_note(kAt)));
  BootRequest request = pc();
  request.command_line = std::string(2047, 'x');
  EXPECT_TRUE(sound(plan_pvh, request, linux_kernel));
  request.command_line += 'x';
  EXPECT_TRUE(sound(plan_pvh, request, kernel(entry_note(kAt))));
  expect_refused(plan_pvh, request, linux_kernel, {"too long for Linux", "2048 bytes", "2047"});

  const Bytes bytes(16);
  const MemorySource file(bytes, "initrd");
  request = pc();
  request.files = {{.source = &file, .arguments = ""}};
  EXPECT_TRUE(sound(plan_pvh, request, linux_kernel));
  request.files.front().arguments = "x";
  expect_refused(plan_pvh, request, linux_kernel, {"without arguments"}, Status::usage);
  request.files.front().arguments = "";
  request.files.push_back(request.files.front());
  expect_refused(plan_pvh, request, linux_kernel, {"2 files", "--format vmlinux"}, Status::usage);
}

TEST(Pvh, AnInitrdThatDoesNotFitIsNamed) {
  const Bytes bytes(64 << 20);
  const MemorySource file(bytes, "initrd.gz");
  BootRequest request = pc();
  request.files = {{.source = &file, .arguments = ""}};
  expect_refused(plan_pvh, request, kernel(entry_note(kAt)), {"initrd.gz", "does not fit"});
}

TEST(Pvh, SegmentsMustBeInMemory) {
  expect_refused(plan_pvh, pc(), kernel(entry_note(kAt), 64 << 20), {"there is memory at"});
}

}  // namespace
}  // namespace vmctl
