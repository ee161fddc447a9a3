// SPDX-License-Identifier: GPL-2.0-only
//
// lab-tests: a module does something wrong, and what judges the other suites
// must tell so, and tell nothing else. lockdep's case comes before those of
// KASAN, whose reports switch it off until the next boot.
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <regex>

#include "kmsg.hpp"
#include "leaks.hpp"
#include "loadable.hpp"

namespace {

using namespace t;

const std::string kHungTasks = "/proc/sys/kernel/hung_task_timeout_secs";

// build/bin, where this program and kernel-watch are.
std::filesystem::path bin() {
  return std::filesystem::path(link_of("/proc/self/exe")).parent_path();
}

const Loadable& lab() {
  static const Loadable module = [] {
    utsname names{};
    ::uname(&names);
    const auto file = bin().parent_path() / LAB_MODULES / names.release / "lab.ko";
    ::setenv("VMCTL_LAB_MODULE", file.c_str(), 0);
    return Loadable("lab", "VMCTL_LAB_MODULE");
  }();
  return module;
}

struct Bug {
  const char* name;
  const char* report;  // what each line that reports must match
  bool by_lockdep = false;
};

// As GoogleTest wants it.
std::string name_of(const ::testing::TestParamInfo<Bug>& row) {
  std::string name = row.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

// The lines of a report that say what it is.
std::vector<std::string> headlines(const std::vector<std::string>& lines) {
  std::vector<std::string> heads;
  for (const std::string& line : lines) {
    if (is_report({.level = 7, .text = line})) heads.push_back(line);
  }
  return heads;
}

class Lab : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!finds_leaks()) GTEST_SKIP() << "not the debug kernel";
    ASSERT_TRUE(lab().found())
        << "lab.ko is missing: scripts/module --source tests/lab/module debug";
    forget_complaints();
  }
  void TearDown() override {
    if (lab().loaded()) EXPECT_EQ(lab().remove(), 0);
  }
};

struct Watched {
  int status;
  std::string text;
};

Watched watch(const std::string& command) {
  Watched all{-1, ""};
  if (FILE* out = ::popen(((bin() / "kernel-watch").string() + " " + command).c_str(), "r")) {
    char part[512];
    while (::fgets(part, sizeof part, out) != nullptr) all.text += part;
    all.status = WEXITSTATUS(::pclose(out));
  }
  return all;
}

// All from boot on, loading vmctl included.
TEST_F(Lab, AWatchedCommandWithoutReports) {
  const Watched seen = watch("sh -c 'exit 3'");
  EXPECT_EQ(seen.status, 3) << "its own: " << seen.text;
  EXPECT_NE(seen.text.find("[       OK ]"), std::string::npos) << seen.text;
}

TEST_F(Lab, WithoutABugNothingIsReported) {
  ASSERT_EQ(lab().insert(), 0);
  EXPECT_EQ(complaints(), std::vector<std::string>());
  EXPECT_EQ(leaks(), std::vector<std::string>());
}

class LabBug : public Lab, public ::testing::WithParamInterface<Bug> {};

TEST_P(LabBug, IsReported) {
  const Bug& bug = GetParam();
  if (bug.by_lockdep) {
    ASSERT_TRUE(std::regex_search(slurp("/proc/lockdep_stats"), std::regex("debug_locks: +1")))
        << "lockdep is off: a report came before this case";
  }
  const std::string patience = slurp(kHungTasks);
  spit(kHungTasks, "1");
  const Ret loaded = lab().insert(std::string("bug=") + bug.name);
  spit(kHungTasks, patience);
  ASSERT_EQ(loaded, 0);
  const auto lines = complaints();
  const auto heads = headlines(lines);
  EXPECT_FALSE(heads.empty()) << ::testing::PrintToString(lines);
  for (const std::string& head : heads) {
    EXPECT_TRUE(std::regex_search(head, std::regex(bug.report))) << head;
  }
}

// lockdep reports once in a boot.
INSTANTIATE_TEST_SUITE_P(Locks, LabBug,
                         ::testing::Values(Bug{"lock-inversion",
                                               "WARNING: possible circular locking dependency"
                                               "|lab_init|DEADLOCK",
                                               true}),
                         name_of);

const Bug kBugs[] = {
    {"sleep-in-atomic", "BUG: sleeping function called from invalid context at .*lab\\.c"},
    {"shift", "UBSAN: shift-out-of-bounds in .*lab\\.c"},
    {"array-index", "UBSAN: array-index-out-of-bounds in .*lab\\.c"},
    {"hang", "INFO: task lab-tests:\\d+ blocked for more than \\d seconds"},
    {"warn", "WARNING: CPU: .* at .*\\[lab\\]"},
    {"refcount", "refcount_t: underflow|WARNING: CPU: .* refcount_warn_saturate"},
    {"free-a-timer", "ODEBUG: free active .*timer_list|WARNING: CPU: .* debug_print_object"},
    {"add-twice", "list_add double add|list_add corruption|WARNING: CPU: .* __list_add_valid"},
    {"use-after-free", "KASAN: (slab-)?use-after-free in use_after_free"},
    {"double-free", "KASAN: double-free"},
    {"out-of-bounds", "KASAN: slab-out-of-bounds in out_of_bounds"},
};

INSTANTIATE_TEST_SUITE_P(Others, LabBug, ::testing::ValuesIn(kBugs), name_of);

TEST_F(Lab, ALeakIsReported) {
  ASSERT_EQ(lab().insert("bug=leak"), 0);
  const auto found = leaks();
  EXPECT_GT(found.size(), 8U) << "16 objects are lost";
  for (const std::string& report : found) {
    EXPECT_NE(report.find("[lab]"), std::string::npos) << report;
  }
  forget_leaks();
  EXPECT_EQ(leaks(), std::vector<std::string>()) << "forgotten";
}

TEST_F(Lab, AWatchedCommandWithReports) {
  const Watched seen = watch("insmod " + lab().file() + " bug=warn");
  EXPECT_EQ(seen.status, 1) << seen.text;
  EXPECT_NE(seen.text.find("[  FAILED  ]"), std::string::npos) << seen.text;
  EXPECT_NE(seen.text.find("WARNING: CPU"), std::string::npos) << seen.text;
}

}  // namespace
