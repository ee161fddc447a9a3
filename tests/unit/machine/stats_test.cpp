// SPDX-License-Identifier: GPL-2.0
#include "machine/stats.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

TEST(RunStats, HighReasonsShareTheLastCounter) {
  RunStats stats;
  stats.count(2);
  stats.count(62);
  stats.count(63);
  stats.count(64);
  stats.count(0xffffffff);
  EXPECT_EQ(stats.exits[2], 1U);
  EXPECT_EQ(stats.exits[62], 1U);
  EXPECT_EQ(stats.exits[63], 3U);
}

TEST(RunStats, TableAndJson) {
  RunStats one;
  one.count(2);
  one.count(5);
  one.run_ns = 1500000;
  RunStats sum = one;
  sum += one;
  const std::string table = format_stats({one, one}, sum);
  EXPECT_EQ(table,
            "exits by reason                vCPU 0       vCPU 1          sum\n"
            "KVM_EXIT_IO                         1            1            2\n"
            "KVM_EXIT_HLT                        1            1            2\n"
            "ms in KVM_RUN                   1.500        1.500        3.000");
  EXPECT_EQ(exits_to_json(sum).dump(), R"({"KVM_EXIT_HLT":2,"KVM_EXIT_IO":2})");
}

TEST(RunStats, FailuresOfKvmRunShowOnlyIfThereWereAny) {
  RunStats stats;
  EXPECT_EQ(format_stats({stats}, stats).find("failed"), std::string::npos);
  stats.errors = 1;
  EXPECT_NE(format_stats({stats}, stats).find("KVM_RUN failed"), std::string::npos);
}

TEST(RunStats, FromTheKernel) {
  vmctl_stats kernel{};
  kernel.errors = 1;
  kernel.run_ns = 2;
  kernel.exits[63] = 3;
  const RunStats stats = from_kernel(kernel);
  EXPECT_EQ(stats.errors, 1U);
  EXPECT_EQ(stats.run_ns, 2U);
  EXPECT_EQ(stats.exits[63], 3U);
}

}  // namespace
}  // namespace vmctl
