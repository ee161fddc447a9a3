// SPDX-License-Identifier: GPL-2.0
#include "console/monitor.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace vmctl {
namespace {

using Kind = MonitorCommand::Kind;

class Recorded final : public MachineControl {
 public:
  std::string info() override { return "a machine\nof two lines\n"; }
  std::string registers() override { return "rip 0\n"; }
  Result<std::string> dump(GuestAddr at, std::uint64_t length) override {
    if (length > 64) return fail({.status = Status::usage, .what = "too long", .why = "it is"});
    return std::to_string(at.value) + "+" + std::to_string(length) + "\n";
  }
  bool pause() override { return !std::exchange(paused, true); }
  bool resume() override { return std::exchange(paused, false); }
  Result<> nmi(std::uint32_t vcpu) override {
    nmis.push_back(vcpu);
    return {};
  }
  Result<> power_down() override {
    return fail({.status = Status::usage, .what = "powerdown", .why = "no button"});
  }
  void quit(const std::string& who) override { ended_by = who; }

  bool paused = false;
  std::vector<std::uint32_t> nmis;
  std::string ended_by;
};

TEST(Monitor, Commands) {
  EXPECT_EQ(parse_monitor("info")->kind, Kind::info);
  EXPECT_EQ(parse_monitor(" regs ")->kind, Kind::registers);
  EXPECT_EQ(parse_monitor("pause")->kind, Kind::pause);
  EXPECT_EQ(parse_monitor("resume")->kind, Kind::resume);
  EXPECT_EQ(parse_monitor("powerdown")->kind, Kind::power_down);
  EXPECT_EQ(parse_monitor("quit")->kind, Kind::quit);
  EXPECT_EQ(parse_monitor("help")->kind, Kind::help);
  EXPECT_EQ(parse_monitor("cont")->kind, Kind::leave);
  EXPECT_EQ(parse_monitor("")->kind, Kind::leave);
  EXPECT_EQ(parse_monitor("nmi")->vcpu, 0U);
  EXPECT_EQ(parse_monitor("nmi 3")->vcpu, 3U);
  EXPECT_EQ(parse_monitor("dump 0x1000")->address.value, 0x1000U);
  EXPECT_EQ(parse_monitor("dump 0x1000")->length, 128U);
  EXPECT_EQ(parse_monitor("dump 1M\t0x10")->length, 16U);
}

TEST(Monitor, WhatIsNoneSaysWhy) {
  for (const char* line : {"infos", "dump", "dump x", "dump 1 2 3", "nmi -1", "nmi 4294967296",
                           "nmi 1 2", "quit now"}) {
    const auto command = parse_monitor(line);
    ASSERT_FALSE(command) << line;
    EXPECT_EQ(command.error().status, Status::usage) << line;
    EXPECT_FALSE(command.error().why.empty()) << line;
  }
}

TEST(Monitor, Answers) {
  Recorded machine;
  EXPECT_EQ(answer_monitor("info", machine, "").text, "a machine\r\nof two lines\r\n");
  EXPECT_EQ(answer_monitor("dump 16 2", machine, "").text, "16+2\r\n");
  EXPECT_EQ(answer_monitor("dump 16 65", machine, "").text, "too long: it is\r\n");
  EXPECT_EQ(answer_monitor("pause", machine, "").text, "paused\r\n");
  EXPECT_EQ(answer_monitor("pause", machine, "").text, "it is paused already\r\n");
  EXPECT_EQ(answer_monitor("resume", machine, "").text, "runs again\r\n");
  EXPECT_EQ(answer_monitor("resume", machine, "").text, "it is not paused\r\n");
  EXPECT_EQ(answer_monitor("nmi 2", machine, "").text, "sent\r\n");
  EXPECT_EQ(machine.nmis, (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(answer_monitor("powerdown", machine, "").text, "powerdown: no button\r\n");
  EXPECT_TRUE(machine.ended_by.empty());
  answer_monitor("quit", machine, "by me");
  EXPECT_EQ(machine.ended_by, "by me");
  EXPECT_TRUE(answer_monitor("cont", machine, "").leave);
  EXPECT_FALSE(answer_monitor("help", machine, "").leave);
  EXPECT_NE(answer_monitor("help", machine, "").text.find("dump ADDR [LEN]"), std::string::npos);
  // A line from who attaches may hold anything.
  EXPECT_EQ(answer_monitor("\x1b[2J", machine, "").text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace vmctl
