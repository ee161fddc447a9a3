// SPDX-License-Identifier: GPL-2.0
#include "machine/trace_options.hpp"

#include <gtest/gtest.h>

namespace vmctl {
namespace {

TEST(TraceOptions, KindsByName) {
  EXPECT_EQ(parse_trace_kinds("io").value(), static_cast<unsigned>(TraceKind::io));
  EXPECT_EQ(parse_trace_kinds("cr,msr").value(),
            static_cast<unsigned>(TraceKind::cr) | static_cast<unsigned>(TraceKind::msr));
  EXPECT_EQ(parse_trace_kinds("all").value(), kTraceExits | kTraceSteps);
  for (const char* text : {"", ",", "io,", ",io", "IO", "io mmio", "everything"})
    EXPECT_FALSE(parse_trace_kinds(text)) << text;
}

TEST(TraceOptions, OnlySomeKindsNeedSteps) {
  EXPECT_FALSE(TraceOptions{.kinds = kTraceExits}.steps());
  EXPECT_TRUE(TraceOptions{.kinds = parse_trace_kinds("cr").value()}.steps());
  EXPECT_TRUE(TraceOptions{.kinds = parse_trace_kinds("io,cpuid").value()}.steps());
}

TEST(TraceOptions, RangesByEnds) {
  EXPECT_EQ(parse_trace_range("0x3f8")->first, 0x3f8U);
  EXPECT_EQ(parse_trace_range("0x3f8")->last, 0x3f8U);
  EXPECT_EQ(parse_trace_range("16-0x1f")->last, 0x1fU);
  for (const char* text : {"", "-", "1-", "-1", "2-1", "1-2-3", "x"})
    EXPECT_FALSE(parse_trace_range(text)) << text;
}

TEST(TraceOptions, AnAccessIsCoveredWhereItTouches) {
  TraceOptions options;
  EXPECT_TRUE(options.covers(0, 1));
  options.ranges = {{.first = 0x10, .last = 0x13}, {.first = ~0ULL, .last = ~0ULL}};
  EXPECT_FALSE(options.covers(0x0f, 1));
  EXPECT_TRUE(options.covers(0x0f, 2));
  EXPECT_TRUE(options.covers(0x13, 4));
  EXPECT_FALSE(options.covers(0x14, 8));
  EXPECT_TRUE(options.covers(~0ULL, 1));
  EXPECT_FALSE(options.covers(~0ULL - 8, 8));
}

}  // namespace
}  // namespace vmctl
