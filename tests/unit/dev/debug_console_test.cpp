// SPDX-License-Identifier: GPL-2.0
#include "dev/debug_console.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "dev/collect.hpp"
#include "dev/ports.hpp"

namespace vmctl {
namespace {

TEST(DebugConsole, ReadsAsItsOwnNumber) {
  test::Collect sink;
  DebugConsole device(sink);
  std::array<std::uint8_t, 3> read{};
  device.read(0, read);
  EXPECT_EQ(read, (std::array<std::uint8_t, 3>{0xe9, 0xe9, 0xe9}));
}

TEST(DebugConsole, PrintsBytesAndStringsInOnePiece) {
  test::Collect sink;
  DebugConsole device(sink);
  test::out(device, 0, '>');
  const std::vector<std::uint8_t> text(300, 'x');
  device.write_string(0, 1, text);
  EXPECT_EQ(sink.text, '>' + std::string(300, 'x'));
  EXPECT_EQ(sink.puts, 2);
  device.write_string(0, 1, {});
  EXPECT_EQ(sink.puts, 2);
}

}  // namespace
}  // namespace vmctl
