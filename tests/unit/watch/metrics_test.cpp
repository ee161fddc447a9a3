// SPDX-License-Identifier: GPL-2.0
#include "watch/metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "kernel/kvm.hpp"

namespace vmctl {
namespace {

VmSample sample_of(std::uint32_t id, std::string name) {
  VmSample vm;
  vm.row = {.id = id,
            .pid = 7,
            .uid = 1000,
            .name = std::move(name),
            .state = "active",
            .vcpus = 2,
            .memory = 65536,
            .exits = 3,
            .image = ""};
  vm.stats.exits[KVM_EXIT_IO] = 2;
  vm.stats.exits[KVM_EXIT_HLT] = 1;
  vm.stats.run_ns = 1'500'000'000;
  return vm;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool has(const std::string& text, const std::string& line) {
  const auto lines = lines_of(text);
  return std::ranges::find(lines, line) != lines.end();
}

TEST(Metrics, OfAVm) {
  Sample sample;
  sample.vms.push_back(sample_of(3, "web"));
  sample.vms[0].timed = true;
  const std::string text = format_metrics(sample, {});
  EXPECT_TRUE(has(text, "vmctl_vms 1"));
  EXPECT_TRUE(has(text,
                  "vmctl_vm_info{id=\"3\",uid=\"1000\",pid=\"7\",name=\"web\",state=\"active\","
                  "image=\"\"} 1"));
  EXPECT_TRUE(has(text, "vmctl_vm_vcpus{id=\"3\"} 2"));
  EXPECT_TRUE(has(text, "vmctl_vm_memory_bytes{id=\"3\"} 65536"));
  EXPECT_TRUE(has(text, "vmctl_vm_exits_total{id=\"3\",reason=\"KVM_EXIT_IO\"} 2"));
  EXPECT_TRUE(has(text, "vmctl_vm_run_errors_total{id=\"3\"} 0"));
  EXPECT_TRUE(has(text, "vmctl_vm_run_seconds_total{id=\"3\"} 1.500000000"));
}

TEST(Metrics, WithoutItsTime) {
  Sample sample;
  sample.vms.push_back(sample_of(3, "web"));
  EXPECT_EQ(format_metrics(sample, {}).find("vmctl_vm_run_seconds_total{"), std::string::npos);
}

TEST(Metrics, OfThePolicy) {
  PolicyFigures policy{.of_all = true};
  policy.total.limit[VMCTL_VMS] = 512;
  policy.total.used[VMCTL_MEMORY] = 4096;
  policy.total.refused[VMCTL_VM_VCPUS] = 9;
  policy.each.scope = VMCTL_SCOPE_DEFAULT;
  policy.each.limit[VMCTL_VM_VCPUS] = VMCTL_UNLIMITED;
  std::vector<vmctl_command> commands(2);
  commands[0].verdict = VMCTL_REFUSED;
  commands[0].refusals = 5;
  std::strcpy(commands[0].name, "KVM_CREATE_DEVICE");
  std::strcpy(commands[1].name, "KVM_RUN");
  policy.commands = commands;
  const std::string text = format_metrics({}, policy);
  EXPECT_TRUE(has(text, "vmctl_limit{of=\"total\",resource=\"vms\"} 512"));
  EXPECT_TRUE(has(text, "vmctl_limit{of=\"each\",resource=\"vm_vcpus\"} +Inf"));
  EXPECT_EQ(text.find("of=\"total\",resource=\"vm_vcpus\""), std::string::npos);
  EXPECT_TRUE(has(text, "vmctl_used{resource=\"memory\"} 4096"));
  EXPECT_TRUE(has(text, "vmctl_limit_refusals_total{resource=\"vm_vcpus\"} 9"));
  EXPECT_TRUE(has(text, "vmctl_command_refusals_total{command=\"KVM_CREATE_DEVICE\"} 5"));
  EXPECT_EQ(text.find("command=\"KVM_RUN\""), std::string::npos);
}

TEST(Metrics, WhatIsNotKnownIsLeftOut) {
  const std::string text = format_metrics({}, {});
  EXPECT_NE(text.find("vmctl_limit{"), std::string::npos);
  for (const char* family : {"vmctl_used", "vmctl_limit_refusals", "vmctl_command_refusals"})
    EXPECT_EQ(text.find(family), std::string::npos) << family;
}

// The text format: every value stands behind the head of its family, once, and no name breaks out.
TEST(Metrics, AreOfTheFormat) {
  Sample sample;
  sample.vms.push_back(sample_of(1, "quote\" back\\slash new\nline } 7"));
  sample.vms.push_back(sample_of(2, ""));
  const std::regex value(
      R"re(([a-z_]+)(\{([a-z]+="([^"\\\n]|\\["\\n])*",?)+\})? ([0-9.]+|\+Inf))re");
  const std::regex head(R"(# (HELP|TYPE) ([a-z_]+) .+)");
  std::set<std::string> seen;
  std::string family;
  for (const std::string& line : lines_of(format_metrics(sample, {.of_all = true}))) {
    std::smatch match;
    if (std::regex_match(line, match, head)) {
      if (match[1] == "HELP") {
        EXPECT_TRUE(seen.insert(match[2]).second) << line;
      }
      family = match[2];
    } else {
      ASSERT_TRUE(std::regex_match(line, match, value)) << line;
      EXPECT_EQ(match[1], family) << line;
    }
  }
  EXPECT_TRUE(seen.contains("vmctl_vm_exits_total"));
}

TEST(Metrics, LabelsAreEscaped) {
  EXPECT_EQ(label_value("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
  EXPECT_EQ(label_value("plain, {braces} and = signs"), "plain, {braces} and = signs");
}

}  // namespace
}  // namespace vmctl
