// SPDX-License-Identifier: GPL-2.0-only
//
// The 32-bit program: the same tests of commands, tables and guests, through
// compat_ioctl. It is a program of its own; here it runs as one case.
#include <sys/wait.h>

#include <array>
#include <cstdio>

#include "driver.hpp"

namespace {

using namespace t;

class ThirtyTwoBit : public Own {};

TEST_F(ThirtyTwoBit, ProgramPasses) {
#ifndef COMPAT_TESTS
  GTEST_SKIP() << "32-bit programs can't be built here: install g++-multilib and googletest";
#else
  const std::string program =
      link_of("/proc/self/exe").substr(0, link_of("/proc/self/exe").rfind('/')) + "/" COMPAT_TESTS;
  if (::access(program.c_str(), X_OK) != 0) GTEST_SKIP() << program << " was not built";
  std::string said;
  std::array<char, 4096> part{};
  FILE* out = ::popen((program + " --gtest_color=no 2>&1").c_str(), "r");
  ASSERT_NE(out, nullptr);
  while (::fgets(part.data(), part.size(), out) != nullptr) said += part.data();
  const int status = ::pclose(out);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 126) GTEST_SKIP() << "no 32-bit programs here";
  EXPECT_EQ(status, 0) << said;
  EXPECT_NE(said.find("[  PASSED  ]"), std::string::npos) << said;
  // That the cases which only it has were among them.
  EXPECT_NE(said.find("[       OK ] Compat.DirtyLogTakesAShortPointer"), std::string::npos);
  EXPECT_NE(said.find("[       OK ] Rules.TheGuestAdds"), std::string::npos);
#endif
}

}  // namespace
