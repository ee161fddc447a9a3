// SPDX-License-Identifier: GPL-2.0
#include "policy/policy_edit.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmctl {
namespace {

std::optional<std::uint32_t> alice(std::string_view name) {
  if (name == "alice") return 1000;
  return std::nullopt;
}

PolicyEdit edit_of(Scope scope, std::string whose, Limits limits, bool alone = false) {
  return {.scope = scope, .whose = std::move(whose), .limits = limits, .alone = alone};
}

Limits vms(std::uint64_t limit) {
  Limits limits;
  limits[Resource::vms] = limit;
  return limits;
}

std::string edited(std::string_view text, const PolicyEdit& edit) {
  const auto result = edit_policy(text, "policy", alice, edit);
  return result ? *result : result.error().text();
}

TEST(PolicyEdit, AppendsWhatIsNew) {
  EXPECT_EQ(edited("", edit_of(Scope::each(), "each", vms(3))), "each vms 3\n");
  EXPECT_EQ(edited("total vms 9", edit_of(Scope::user(1000), "user alice", vms(3))),
            "total vms 9\nuser alice vms 3\n");
  Limits two = vms(kUnlimited);
  two[Resource::memory] = 1 << 20;
  EXPECT_EQ(edited("", edit_of(Scope::total(), "total", two)),
            "total vms max\ntotal memory 1048576\n");
}

TEST(PolicyEdit, ChangesALineInItsPlaceAndLeavesAllElse) {
  EXPECT_EQ(edited("# ours\n\n  user  1000 vms 4   # for now\neach vms 2\nuser alice memory 1G\n",
                   edit_of(Scope::user(1000), "user alice", vms(5))),
            "# ours\n\nuser alice vms 5   # for now\neach vms 2\nuser alice memory 1G\n");
}

TEST(PolicyEdit, AloneTakesTheOthersOfThatScopeAway) {
  const std::string text = "user alice vms 4\nuser alice memory 1G # much\neach memory 2G\n";
  EXPECT_EQ(edited(text, edit_of(Scope::user(1000), "user 1000", {}, true)), "each memory 2G\n");
  EXPECT_EQ(edited(text, edit_of(Scope::user(1000), "user 1000", vms(1), true)),
            "user 1000 vms 1\neach memory 2G\n");
}

TEST(PolicyEdit, ABadFileIsNotTouched) {
  const auto result = edit_policy("each vms 3\neach vm 3\n", "policy", alice,
                                  edit_of(Scope::each(), "each", vms(1)));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().where, "policy:2:6");
}

TEST(PolicyEdit, OneUserMoreThanTheModuleKeeps) {
  std::string text;
  for (int uid = 1; uid <= 1024; ++uid) text += "user " + std::to_string(uid) + " vms 1\n";
  EXPECT_FALSE(edit_policy(text, "policy", alice, edit_of(Scope::user(5000), "user 5000", vms(1))));
  EXPECT_TRUE(edit_policy(text, "policy", alice, edit_of(Scope::user(5), "user 5", vms(2))));
}

}  // namespace
}  // namespace vmctl
