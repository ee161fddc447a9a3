// SPDX-License-Identifier: GPL-2.0
#include "base/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace vmctl {
namespace {

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(Fd, ClosesOnceAndMoves) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  {
    Fd read(pipe[0]);
    Fd write(pipe[1]);
    Fd moved(std::move(read));
    EXPECT_FALSE(read.valid());  // NOLINT(bugprone-use-after-move,clang-analyzer-cplusplus.Move)
    EXPECT_EQ(moved.get(), pipe[0]);
    EXPECT_TRUE(is_open(pipe[0]));
    moved = Fd();
    EXPECT_FALSE(is_open(pipe[0]));
    EXPECT_TRUE(is_open(pipe[1]));
  }
  EXPECT_FALSE(is_open(pipe[1]));
}

}  // namespace
}  // namespace vmctl
