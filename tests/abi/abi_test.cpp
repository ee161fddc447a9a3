// SPDX-License-Identifier: GPL-2.0-only
//
// The interface of /dev/vmctl is what was recorded, for 64- and for 32-bit
// programs alike, and has no holes. Where it grows on purpose:
//
//   build/bin/abi-dump >tests/abi/vmctl.abi
#include <gtest/gtest.h>
#include <linux/ioctl.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "dump.hpp"

namespace {

std::string recorded() {
  std::ifstream file(ABI_RECORD);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Abi, IsAsRecorded) {
  ASSERT_FALSE(recorded().empty()) << ABI_RECORD;
  EXPECT_EQ(uapi::dump(), recorded());
}

TEST(Abi, IsTheSameFor32BitPrograms) {
#ifndef ABI_DUMP_32
  GTEST_SKIP() << "32-bit programs can't be built here: install g++-multilib";
#else
  std::string text;
  std::array<char, 512> part{};
  FILE* out = ::popen(ABI_DUMP_32, "r");
  ASSERT_NE(out, nullptr);
  while (std::fgets(part.data(), part.size(), out) != nullptr) text += part.data();
  const int status = ::pclose(out);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 126) GTEST_SKIP() << "no 32-bit programs here";
  ASSERT_EQ(status, 0);
  EXPECT_EQ(text, recorded());
#endif
}

TEST(Abi, HasNoHoles) {
  std::map<std::string, std::uint64_t> end;
  for (const uapi::Row& row : uapi::rows()) {
    if (row.kind != uapi::Row::kMember) continue;
    EXPECT_EQ(row.value, end[row.structure]) << "before " << row.structure << "." << row.name;
    end[row.structure] = row.value + row.size;
  }
  for (const uapi::Row& row : uapi::rows()) {
    if (row.kind != uapi::Row::kStructure) continue;
    EXPECT_EQ(row.size, end[row.structure]) << "at the end of " << row.structure;
    EXPECT_EQ(row.size % 8, 0U) << row.structure << " must not differ in its tail";
  }
  EXPECT_GE(end.size(), 5U) << "the header was read";
}

// Each command has a number of its own, of our type, with the size of its structure in it.
TEST(Abi, CommandsFitTheirStructures) {
  std::map<std::string, std::uint64_t> sizes;
  for (const uapi::Row& row : uapi::rows()) {
    if (row.kind == uapi::Row::kStructure) sizes[row.structure] = row.size;
  }
  const std::map<std::string, std::string> structures = {
      {"VMCTL_GET_INFO", "vmctl_info"},         {"VMCTL_CREATE_VM", "vmctl_create_vm"},
      {"VMCTL_LOAD_IMAGE", "vmctl_load_image"}, {"VMCTL_GET_STATS", "vmctl_stats"},
      {"VMCTL_REVOKE_VM", "vmctl_revoke_vm"},   {"VMCTL_GET_LIMITS", "vmctl_limits"},
      {"VMCTL_SET_LIMITS", "vmctl_limits"},     {"VMCTL_GET_COMMAND", "vmctl_command"},
      {"VMCTL_GET_EVENT", "vmctl_event"},
  };
  std::set<std::uint64_t> numbers;
  std::size_t found = 0;
  for (const uapi::Row& row : uapi::rows()) {
    const auto structure = structures.find(row.name);
    if (structure == structures.end()) continue;
    ++found;
    EXPECT_EQ(_IOC_TYPE(row.value), 0xD7U) << row.name;
    EXPECT_EQ(_IOC_SIZE(row.value), sizes[structure->second]) << row.name;
    EXPECT_TRUE(numbers.insert(_IOC_NR(row.value)).second) << row.name << " is not the only one";
  }
  EXPECT_EQ(found, structures.size());
}

}  // namespace
