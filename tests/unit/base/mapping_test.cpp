// SPDX-License-Identifier: GPL-2.0
#include "base/mapping.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <utility>

#include "base/file.hpp"
#include "temporary.hpp"

namespace vmctl {
namespace {

TEST(Mapping, MovesWithItsLength) {
  auto first = Mapping::anonymous(4096);
  auto second = Mapping::anonymous(8192);
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  first->bytes().front() = 1;
  *second = std::move(*first);
  EXPECT_EQ(second->bytes().size(), 4096U);
  EXPECT_EQ(second->bytes().front(), 1);
}

TEST(Mapping, WhatIsSharedReachesTheFile) {
  const test::TemporaryFolder folder;
  const Fd fd(::open(folder.file("four", "four").c_str(), O_RDWR | O_CLOEXEC));
  const auto mapping = Mapping::shared(fd, 4);
  ASSERT_TRUE(mapping) << mapping.error().text();
  mapping->bytes().front() = 'F';
  EXPECT_EQ(read_file(folder.path("four")), "Four");
}

// What /proc/self/smaps says of the mapping at an address; empty: there is none that begins there.
std::string flags_of(const std::uint8_t* address) {
  std::ifstream smaps("/proc/self/smaps");
  const std::string begin = fmt::format("{:x}-", reinterpret_cast<std::uintptr_t>(address));
  bool found = false;
  for (std::string line; std::getline(smaps, line);) {
    found |= line.starts_with(begin);
    if (found && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

TEST(Mapping, InHugePagesWhereTheKernelHasThem) {
  for (const std::size_t length :
       {std::size_t{1}, kHugePage - 1, kHugePage, 3 * kHugePage + 4096}) {
    const auto mapping = Mapping::huge(length);
    ASSERT_TRUE(mapping) << mapping.error().text();
    std::uint8_t* const begin = mapping->bytes().data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(begin) % kHugePage, 0U);
    EXPECT_EQ(mapping->bytes().size(), length);
    mapping->bytes().front() = 1;
    mapping->bytes().back() = 1;
    if (std::filesystem::exists("/sys/kernel/mm/transparent_hugepage")) {
      EXPECT_NE(flags_of(begin).find(" hg"), std::string::npos) << flags_of(begin);
    }
  }
}

// Pages of address space, as proc(5) has them in statm.
std::size_t pages_mapped() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages;
}

TEST(Mapping, NothingIsLeftAroundAHugeOne) {
  pages_mapped();  // what the first look itself maps
  const std::size_t before = pages_mapped();
  {
    const auto mapping = Mapping::huge(3 * kHugePage + 1);
    ASSERT_TRUE(mapping);
    EXPECT_EQ(pages_mapped() - before, 3 * kHugePage / 4096 + 1);
  }
  EXPECT_EQ(pages_mapped(), before);
}

TEST(Mapping, HugeButNotThatHuge) {
  for (const std::size_t length :
       {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2}) {
    const auto mapping = Mapping::huge(length);
    ASSERT_FALSE(mapping);
    EXPECT_EQ(mapping.error().status, Status::unavailable);
  }
}

TEST(Mapping, TooMuchIsNotThereAndTheRestIsOurMistake) {
  const auto huge = Mapping::anonymous(std::numeric_limits<std::size_t>::max() / 2 + 1);
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().status, Status::unavailable);
  EXPECT_EQ(huge.error().why, "Cannot allocate memory");

  const test::TemporaryFolder folder;
  const Fd fd(::open(folder.file("four", "four").c_str(), O_RDONLY | O_CLOEXEC));
  const auto readonly = Mapping::shared(fd, 4);
  ASSERT_FALSE(readonly);
  EXPECT_EQ(readonly.error().status, Status::internal);
  EXPECT_EQ(readonly.error().what, "cannot map 4 bytes of memory");
  EXPECT_EQ(readonly.error().why, "Permission denied");
}

}  // namespace
}  // namespace vmctl
