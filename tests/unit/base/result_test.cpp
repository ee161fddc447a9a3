// SPDX-License-Identifier: GPL-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <memory>

namespace vmctl {
namespace {

Result<std::unique_ptr<int>> make(bool good) {
  if (!good) return fail({.status = Status::bad_image, .what = "made to fail"});
  return std::make_unique<int>(7);
}

Result<> check(bool good) {
  TRY(make(good));
  return {};
}

Result<int> use(bool first, bool second) {
  const std::unique_ptr<int> value = TRY(make(first));
  TRY(check(second));
  return *value;
}

TEST(Result, TryTakesTheValueOrHandsTheErrorOn) {
  EXPECT_EQ(use(true, true).value_or(0), 7);
  for (const auto& result : {use(false, true), use(true, false)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().status, Status::bad_image);
    EXPECT_EQ(result.error().what, "made to fail");
  }
}

TEST(Result, ACopyHasAnErrorOfItsOwn) {
  Result<int> first = use(false, true);
  Result<int> second = first;
  second.error().what = "another";
  EXPECT_EQ(first.error().what, "made to fail");
  first = second;
  second = 1;
  EXPECT_EQ(first.error().what, "another");
  EXPECT_EQ(std::move(first).error().what, "another");
}

TEST(Error, TextLeavesOutWhatIsEmpty) {
  EXPECT_EQ((Error{.what = "a", .why = "c"}).text(), "a: c");
  EXPECT_EQ((Error{.what = "a", .where = "b", .why = "c", .advice = "d"}).text(), "a: b: c\n  d");
  EXPECT_EQ(errno_text(ENOENT), "No such file or directory");
}

// Names of files and words of the command line come from anywhere.
TEST(Error, TextIsSafeOnATerminal) {
  EXPECT_EQ(
      (Error{.what = "a\x1b[31m", .where = "b\n", .why = "\xc2\x9b\x7f", .advice = "d\n  e\r"})
          .text(),
      "a\\033[31m: b\\012: \\302\\233\\177\n  d\n  e\\015");
  EXPECT_EQ((Error{.what = "'\\033' ~"}).text(), "'\\033' ~");
}

// The statuses are an interface: scripts depend on them.
TEST(Status, Numbers) {
  EXPECT_EQ(static_cast<int>(Status::ok), 0);
  EXPECT_EQ(static_cast<int>(Status::usage), 64);
  EXPECT_EQ(static_cast<int>(Status::bad_image), 65);
  EXPECT_EQ(static_cast<int>(Status::no_input), 66);
  EXPECT_EQ(static_cast<int>(Status::unavailable), 69);
  EXPECT_EQ(static_cast<int>(Status::internal), 70);
  EXPECT_EQ(static_cast<int>(Status::output), 74);
  EXPECT_EQ(static_cast<int>(Status::refused), 77);
  EXPECT_EQ(static_cast<int>(Status::triple_fault), 80);
  EXPECT_EQ(static_cast<int>(Status::kvm_failure), 81);
  EXPECT_EQ(static_cast<int>(Status::unhandled_exit), 82);
  EXPECT_EQ(static_cast<int>(Status::timeout), 124);
}

}  // namespace
}  // namespace vmctl
