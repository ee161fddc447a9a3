// SPDX-License-Identifier: GPL-2.0
#include "policy/policy_file.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vmctl {
namespace {

std::optional<std::uint32_t> alice(std::string_view name) {
  if (name == "alice") return 1000;
  return std::nullopt;
}

Result<Policy> parse(std::string_view text) {
  return parse_policy(text, "policy", alice);
}

// Where and why a text is refused: "policy:1:7 why".
std::string wrong(std::string_view text) {
  const auto policy = parse(text);
  if (policy) return "accepted";
  EXPECT_EQ(policy.error().status, Status::bad_image);
  return policy.error().where + " " + policy.error().why;
}

TEST(PolicyFile, EmptyIsAPolicyToo) {
  for (const char* text : {"", "\n", "  \t\n\n", "# nothing\n", "#", "  # each vms 3"})
    EXPECT_EQ(parse(text), Policy{}) << text;
}

TEST(PolicyFile, EachLineIsALimit) {
  const auto policy = parse(
      "total vms 512\n"
      "\ttotal   memory 64G # of the machine\n"
      "each vm_vcpus 8\n"
      "user alice vms 4\n"
      "user 1001 memory max\n"
      "user alice memory 2G");
  ASSERT_TRUE(policy) << policy.error().text();
  EXPECT_EQ(policy->size(), 4U);
  EXPECT_EQ(policy->at(Scope::total())[Resource::vms], 512U);
  EXPECT_EQ(policy->at(Scope::total())[Resource::memory], std::uint64_t{64} << 30);
  EXPECT_EQ(policy->at(Scope::total())[Resource::vcpus], std::nullopt);
  EXPECT_EQ(policy->at(Scope::each())[Resource::vm_vcpus], 8U);
  EXPECT_EQ(policy->at(Scope::user(1000))[Resource::vms], 4U);
  EXPECT_EQ(policy->at(Scope::user(1000))[Resource::memory], std::uint64_t{2} << 30);
  EXPECT_EQ(policy->at(Scope::user(1001))[Resource::memory], kUnlimited);
}

TEST(PolicyFile, NamesLineAndColumn) {
  EXPECT_EQ(wrong("each"), "policy:1:5 what is limited is missing");
  EXPECT_EQ(wrong("each vms"), "policy:1:9 a limit is missing");
  EXPECT_EQ(wrong("each vms # 3"), "policy:1:10 a limit is missing");
  EXPECT_EQ(wrong("user"), "policy:1:5 the user's name or number is missing");
  EXPECT_EQ(wrong("\n each  vm 3"), "policy:2:8 not vms, vcpus, memory, vm_vcpus or nested");
  EXPECT_EQ(wrong("all vms 3"), "policy:1:1 not total, each or user");
  EXPECT_EQ(wrong("Each vms 3"), "policy:1:1 not total, each or user");
  EXPECT_EQ(wrong("each vms 3 4"), "policy:1:12 one word too many");
  EXPECT_EQ(wrong("each vms 3\neach vms 3\n"), "policy:2:1 this limit is already set further up");
  EXPECT_EQ(wrong("user 1000 vms 3\nuser alice vms 3\n"),
            "policy:2:1 this limit is already set further up");
  EXPECT_EQ(wrong("total vm_vcpus 3"), "policy:1:7 is of one VM: for each or a user alone");
  EXPECT_EQ(wrong("user bob vms 3"), "policy:1:6 there is no user of this name");
  EXPECT_EQ(wrong("user 4294967295 vms 3"), "policy:1:6 too large for the number of a user");
  EXPECT_EQ(wrong("user 18446744073709551616 vms 3"),
            "policy:1:6 too large for the number of a user");
}

TEST(PolicyFile, LimitsAreNumbers) {
  for (const char* bad : {"-1", "+1", "1K", "x", "MAX", "unlimited", "18446744073709551615",
                          "18446744073709551616", "1.5", "0x"})
    EXPECT_EQ(wrong("each vms " + std::string(bad)), "policy:1:10 not a number and not 'max'")
        << bad;
  for (const char* bad : {"-1", "1KB", "G", "99999999999G", "1 G"})
    EXPECT_NE(wrong("each memory " + std::string(bad)), "accepted") << bad;
  EXPECT_EQ(parse("each vms 0x10")->at(Scope::each())[Resource::vms], 16U);
  EXPECT_EQ(parse("each memory 512m")->at(Scope::each())[Resource::memory], 512U << 20);
}

TEST(PolicyFile, HasAsManyUsersAsTheModuleKeeps) {
  std::string text;
  for (int uid = 1; uid <= 1024; ++uid)
    text += "user " + std::to_string(uid) + " vms 1\nuser " + std::to_string(uid) + " vcpus 1\n";
  EXPECT_EQ(parse(text)->size(), 1024U);
  EXPECT_EQ(wrong(text + "user 2000 vms 1"),
            "policy:2049:1 the module keeps limits of 1024 users at most");
}

TEST(PolicyFile, NoByteHarms) {
  using namespace std::string_literals;
  constexpr const char* kControl = " has characters that no word of a policy has";
  EXPECT_EQ(wrong("each vms 3\0"s), "policy:1:10"s + kControl);
  EXPECT_EQ(wrong("each vms 3\r\n"), "policy:1:10"s + kControl);
  EXPECT_EQ(wrong("user alice\0 vms 3"s), "policy:1:6"s + kControl)
      << "who looks names up cuts there";
  const auto policy = parse("each \x1b[31m 3\n");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().what.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vmctl
