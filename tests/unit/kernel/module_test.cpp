// SPDX-License-Identifier: GPL-2.0
#include "kernel/module.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <vector>

#include "kernel/cpu.hpp"

namespace vmctl {
namespace {

using Strings = std::vector<std::string>;

TEST(Module, SoftDependenciesThatComeBefore) {
  EXPECT_EQ(parse_softdep("pre: kvm"), Strings{"kvm"});
  EXPECT_EQ(parse_softdep("pre: a b post: c pre: d"), (Strings{"a", "b", "d"}));
  EXPECT_EQ(parse_softdep("post: c"), Strings{});
  EXPECT_EQ(parse_softdep("pre:  a "), Strings{"a"});
  EXPECT_EQ(parse_softdep(""), Strings{});
}

TEST(Module, ParametersAreCheckedBeforeLoading) {
  const Strings known{"max_vms", "kvm_path"};
  EXPECT_TRUE(check_parameters("vmctl", Strings{"max_vms=3", "kvm_path="}, known));
  EXPECT_TRUE(check_parameters("vmctl", Strings{}, known));
  EXPECT_TRUE(check_parameters("vmctl", Strings{"any=1"}, Strings{}));
  for (const Strings& bad : {Strings{"max_vm=3"}, Strings{"max_vms"}, Strings{"=3"}, Strings{""},
                             Strings{"max_vms=1", "x=2"}}) {
    const auto result = check_parameters("vmctl", bad, known);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().status, Status::usage);
  }
}

LoadFailure failure(int error) {
  return {.error = error,
          .vermagic = "6.1.0-56-amd64 SMP preempt mod_unload modversions",
          .release = "6.1.0-56-amd64",
          .lockdown = "",
          .privileged = true};
}

std::string why(const LoadFailure& what) {
  return explain_load_failure("vmctl", what).why;
}

TEST(Module, SaysWhyItDoesNotLoad) {
  LoadFailure other_kernel = failure(ENOEXEC);
  other_kernel.release = "6.12.95-amd64";
  EXPECT_EQ(why(other_kernel), "it was built for kernel 6.1.0-56-amd64, and 6.12.95-amd64 runs");
  EXPECT_NE(why(failure(ENOEXEC)).find("damaged"), std::string::npos);

  LoadFailure locked = failure(EKEYREJECTED);
  EXPECT_NE(why(locked).find("not signed"), std::string::npos);
  EXPECT_EQ(why(locked).find("locked down"), std::string::npos);
  locked.lockdown = "integrity";
  EXPECT_NE(why(locked).find("locked down (integrity)"), std::string::npos);

  LoadFailure refused = failure(EPERM);
  EXPECT_EQ(explain_load_failure("vmctl", refused).status, Status::refused);
  EXPECT_NE(why(refused).find("although this is root"), std::string::npos);
  refused.lockdown = "confidentiality";
  EXPECT_NE(why(refused).find("confidentiality"), std::string::npos);
  refused.privileged = false;
  EXPECT_EQ(why(refused), "no permission");

  EXPECT_NE(why(failure(EINVAL)).find("parameter"), std::string::npos);
  EXPECT_NE(why(failure(ENOENT)).find("symbol"), std::string::npos);
  EXPECT_EQ(why(failure(ENOMEM)), "Cannot allocate memory");
}

TEST(Lockdown, IsTheModeInBrackets) {
  EXPECT_EQ(parse_lockdown("none [integrity] confidentiality"), "integrity");
  EXPECT_EQ(parse_lockdown("[none] integrity confidentiality"), "");
  for (const char* text : {"", "none", "integrity]", "[integrity", "][", "[a[b]"})
    EXPECT_EQ(parse_lockdown(text), "") << text;
}

TEST(Cpu, FlagsAreWholeWords) {
  const std::string cpuinfo = "processor\t: 0\nflags\t\t: fpu svm_lock vmx\nbugs\t: svm\n";
  EXPECT_TRUE(cpu_has_flag(cpuinfo, "vmx"));
  EXPECT_TRUE(cpu_has_flag(cpuinfo, "fpu"));
  EXPECT_FALSE(cpu_has_flag(cpuinfo, "svm"));
  EXPECT_FALSE(cpu_has_flag("", "svm"));
  EXPECT_FALSE(cpu_has_flag("flags", "svm"));
  EXPECT_FALSE(cpu_has_flag("flags : fpu", ":"));
}

TEST(Cpu, FlagsAreALineOfTheirOwn) {
  const std::string cpuinfo = "model name\t: flags : svm\nvmx flags\t: vnmi\nflags\t\t: fpu\n";
  EXPECT_TRUE(cpu_has_flag(cpuinfo, "fpu"));
  EXPECT_FALSE(cpu_has_flag(cpuinfo, "svm"));
  EXPECT_FALSE(cpu_has_flag(cpuinfo, "vnmi"));
}

}  // namespace
}  // namespace vmctl
