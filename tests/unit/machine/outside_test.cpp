// SPDX-License-Identifier: GPL-2.0
#include "machine/outside.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include "temporary.hpp"

namespace vmctl {
namespace {

ChannelSpec file(std::string path) {
  return {.kind = ChannelSpec::Kind::file, .path = std::move(path)};
}

std::string read(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Outside, WhatItOpensStaysOpenAndIsEmptiedOnce) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("com1", "old");
  Outside outside;
  ASSERT_TRUE(outside.open(file(path), {}, std::nullopt));
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(outside.com2(), nullptr);
  ASSERT_TRUE(outside.begin());
  EXPECT_EQ(read(path), "");

  const Console* console = &outside.com1();
  outside.com1().put(std::array<std::uint8_t, 2>{'h', 'i'});
  ASSERT_TRUE(outside.open(file(path), {}, std::nullopt));  // for another machine
  ASSERT_TRUE(outside.begin());
  EXPECT_EQ(&outside.com1(), console);
  EXPECT_EQ(read(path), "hi");
}

TEST(Outside, APtyKeepsItsName) {
  const ChannelSpec pty{.kind = ChannelSpec::Kind::pty, .path = ""};
  Outside outside;
  ASSERT_TRUE(outside.open(pty, pty, std::nullopt));
  const std::string place = outside.com1().place();
  ASSERT_NE(outside.com2(), nullptr);
  EXPECT_NE(outside.com2()->place(), place);
  outside.pause();
  ASSERT_TRUE(outside.open(pty, pty, std::nullopt));
  EXPECT_EQ(outside.com1().place(), place);
}

TEST(Outside, NoFileIsWrittenToTwice) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("image", "x");
  const Fd image(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto refused = [&](const ChannelSpec& com1, const ChannelSpec& com2) {
    Outside outside;
    const auto opened = outside.open(com1, com2, file_id(image.get()));
    EXPECT_FALSE(opened);
    return opened ? "" : opened.error().what + ": " + opened.error().why;
  };
  const ChannelSpec other = file(folder.path("other"));
  EXPECT_EQ(refused(file(path), {}),
            "--console file:" + path + ": it is the guest's image, which would be overwritten");
  EXPECT_EQ(refused(other, file(path)),
            "--com2 file:" + path + ": it is the guest's image, which would be overwritten");
  EXPECT_EQ(refused(other, other),
            "--console file:" + other.path + ": the other serial port writes to it");
  EXPECT_EQ(read(path), "x");
}

}  // namespace
}  // namespace vmctl
