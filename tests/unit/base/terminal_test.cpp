// SPDX-License-Identifier: GPL-2.0
#include "base/terminal.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

TEST(Terminal, SeesNoControlCharacters) {
  EXPECT_EQ(for_terminal("~ a\x1b[31m\n\x7f"), "~ a\\033[31m\\012\\177");
  EXPECT_EQ(for_terminal("\xc2\x9b"), "\\302\\233");
  EXPECT_EQ(for_terminal(std::string_view("\0", 1)), "\\000");
}

TEST(Terminal, SeesWhatIsKeptAndEscapesAsTheyAre) {
  EXPECT_EQ(for_terminal("a\n\tb", "\n"), "a\n\\011b");
  EXPECT_EQ(for_terminal("\\033"), "\\033");
}

}  // namespace
}  // namespace vmctl
