// SPDX-License-Identifier: GPL-2.0
#include "machine/exit_text.hpp"

#include <gtest/gtest.h>
#include "kernel/kvm.hpp"

#include <array>
#include <numeric>

namespace vmctl {
namespace {

template <std::size_t N>
IoExit io(Direction direction, std::uint8_t size, std::array<std::uint8_t, N>& data) {
  return {.direction = direction,
          .size = size,
          .port = 0x3f8,
          .count = static_cast<std::uint32_t>(N / size),
          .data = data};
}

TEST(ExitText, OneCharacter) {
  std::array<std::uint8_t, 1> data{'4'};
  EXPECT_EQ(format_exit(io(Direction::out, 1, data), 0x1007),
            "KVM_EXIT_IO out port 0x3f8 size 1 count 1 data 0x34 '4' rip 0x1007");
  EXPECT_EQ(exit_to_json(io(Direction::out, 1, data), 0x1007).dump(),
            R"({"count":1,"data":"34","direction":"out","exit":"KVM_EXIT_IO","port":1016,)"
            R"("rip":4103,"size":1})");
}

TEST(ExitText, WidthsAndCounts) {
  std::array<std::uint8_t, 4> data{0x78, 0x56, 0x34, 0x12};
  EXPECT_EQ(format_exit(io(Direction::in, 4, data), 1),
            "KVM_EXIT_IO in port 0x3f8 size 4 count 1 data 0x12345678 rip 0x1");
  EXPECT_EQ(format_exit(io(Direction::in, 2, data), 1),
            "KVM_EXIT_IO in port 0x3f8 size 2 count 2 data 0x5678 0x1234 rip 0x1");
  std::array<std::uint8_t, 3> text{'O', 'K', '\n'};
  EXPECT_EQ(format_exit(io(Direction::out, 1, text), 1),
            "KVM_EXIT_IO out port 0x3f8 size 1 count 3 data 0x4f 0x4b 0x0a rip 0x1");
}

TEST(ExitText, LongDataIsCut) {
  std::array<std::uint8_t, 17> data{};
  std::iota(data.begin(), data.end(), std::uint8_t{0});
  const std::string line = format_exit(io(Direction::out, 1, data), 1);
  EXPECT_NE(line.find("count 17 "), std::string::npos) << line;
  EXPECT_NE(line.find("0x0f ... rip"), std::string::npos) << line;
  EXPECT_EQ(line.find("0x10 "), std::string::npos) << line;
}

TEST(ExitText, MmioAndTheRest) {
  std::array<std::uint8_t, 2> data{0xcd, 0xab};
  EXPECT_EQ(format_exit(MmioExit{.gpa = {0xf0000}, .direction = Direction::out, .data = data}, 2),
            "KVM_EXIT_MMIO write gpa 0xf0000 size 2 data 0xabcd rip 0x2");
  EXPECT_EQ(format_exit(HltExit{}, 0x1009), "KVM_EXIT_HLT rip 0x1009");
  EXPECT_EQ(format_exit(HltExit{}, std::nullopt), "KVM_EXIT_HLT");
  EXPECT_EQ(format_exit(FailEntryExit{.hardware_reason = 0x80000021, .cpu = 1}, std::nullopt),
            "KVM_EXIT_FAIL_ENTRY hardware reason 0x80000021 cpu 1");
  EXPECT_EQ(format_exit(InternalErrorExit{.suberror = 1, .count = 2, .data = {3, 4}}, std::nullopt),
            "KVM_EXIT_INTERNAL_ERROR KVM_INTERNAL_ERROR_EMULATION 0x3 0x4");
  EXPECT_EQ(format_exit(OtherExit{.reason = KVM_EXIT_NMI, .detail = 0}, std::nullopt),
            "KVM_EXIT_NMI detail 0x0");
  EXPECT_EQ(format_exit(MemoryFaultExit{.flags = 8, .gpa = {0x2000}, .size = 0x1000}, 3),
            "KVM_EXIT_MEMORY_FAULT gpa 0x2000 size 0x1000 flags 0x8 rip 0x3");
  EXPECT_EQ(format_exit(MalformedExit{.reason = KVM_EXIT_IO, .why = "no room"}, std::nullopt),
            "KVM_EXIT_IO malformed: no room");
}

TEST(ExitText, FailuresAsJson) {
  EXPECT_EQ(exit_to_json(FailEntryExit{.hardware_reason = 33, .cpu = 1}, 2).dump(),
            R"({"cpu":1,"exit":"KVM_EXIT_FAIL_ENTRY","hardware_reason":33,"rip":2})");
  EXPECT_EQ(
      exit_to_json(InternalErrorExit{.suberror = 1, .count = 2, .data = {3, 4, 5}}, {}).dump(),
      R"({"data":[3,4],"exit":"KVM_EXIT_INTERNAL_ERROR",)"
      R"("suberror":"KVM_INTERNAL_ERROR_EMULATION"})");
  EXPECT_EQ(exit_to_json(MemoryFaultExit{.flags = 8, .gpa = {8192}, .size = 4096}, {}).dump(),
            R"({"exit":"KVM_EXIT_MEMORY_FAULT","flags":8,"gpa":8192,"size":4096})");
  EXPECT_EQ(exit_to_json(OtherExit{.reason = KVM_EXIT_NMI, .detail = 7}, {}).dump(),
            R"({"detail":7,"exit":"KVM_EXIT_NMI"})");
  EXPECT_EQ(exit_to_json(MalformedExit{.reason = KVM_EXIT_IO, .why = "no room"}, {}).dump(),
            R"({"exit":"KVM_EXIT_IO","malformed":"no room"})");
}

}  // namespace
}  // namespace vmctl
