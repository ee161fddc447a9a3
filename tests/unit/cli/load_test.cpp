// SPDX-License-Identifier: GPL-2.0
#include "cli/load.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vmctl::cli {
namespace {

class LoadOptions : public testing::Test {
 protected:
  // Empty, or what is wrong.
  std::string parse(std::vector<std::string> arguments) {
    request = {};
    CLI::App app;
    declare_load(app, request);
    std::reverse(arguments.begin(), arguments.end());
    try {
      app.parse(arguments);
      return "";
    } catch (const CLI::ParseError& error) {
      return error.what();
    }
  }
  LoadRequest request;
};

TEST_F(LoadOptions, Defaults) {
  ASSERT_EQ(parse({"guest.bin"}), "");
  EXPECT_EQ(request.machine.boot.image, "guest.bin");
  EXPECT_FALSE(request.machine.boot.flat.at);
  EXPECT_FALSE(request.machine.boot.flat.entry);
  EXPECT_FALSE(request.machine.boot.memory);  // depends on the format
  EXPECT_EQ(request.machine.cpus, 1U);
  EXPECT_EQ(request.machine.device, "/dev/vmctl");
  EXPECT_FALSE(request.run.timeout);
}

TEST_F(LoadOptions, All) {
  ASSERT_EQ(parse({"--at",   "0x2000",  "--entry=0x2010", "--mem",  "1G",       "--reg",
                   "rax=2",  "--reg",   "rbx=2",          "--cpus", "3",        "--timeout",
                   "0.25",   "--trace", "--stats",        "--json", "--device", "/dev/kvm",
                   "--name", "n",       "--debug-exit",   "qemu",   "guest.bin"}),
            "");
  EXPECT_EQ(request.machine.boot.image, "guest.bin");
  EXPECT_EQ(request.machine.boot.flat.at, GuestAddr{0x2000});
  EXPECT_EQ(request.machine.boot.flat.entry, GuestAddr{0x2010});
  EXPECT_EQ(request.machine.boot.memory, 1ULL << 30);
  EXPECT_EQ(request.registers, (std::vector<std::string>{"rax=2", "rbx=2"}));
  EXPECT_EQ(request.machine.cpus, 3U);
  EXPECT_EQ(request.run.timeout, std::chrono::milliseconds(250));
  EXPECT_TRUE(request.stats && request.json);
  EXPECT_EQ(request.trace_kinds, std::vector<std::string>{"true"});
  EXPECT_EQ(request.machine.device, "/dev/kvm");
  EXPECT_EQ(request.machine.name, "n");
  EXPECT_EQ(request.machine.devices.debug_exit, DebugExitStyle::qemu);
}

TEST_F(LoadOptions, ARegisterDoesNotSwallowTheFile) {
  ASSERT_EQ(parse({"--reg", "rax=2", "guest.bin"}), "");
  EXPECT_EQ(request.machine.boot.image, "guest.bin");
}

TEST_F(LoadOptions, DevicesAndWhatTheyReach) {
  ASSERT_EQ(parse({"g"}), "");
  EXPECT_EQ(request.machine.devices.com1.kind, ChannelSpec::Kind::stdio);
  EXPECT_EQ(request.machine.devices.com2.kind, ChannelSpec::Kind::none);
  EXPECT_FALSE(request.machine.irqchip);
  EXPECT_FALSE(request.machine.devices.rtc);
  ASSERT_EQ(parse({"--console", "none", "--com2", "file:x", "--irqchip", "kernel", "--rtc",
                   "2000-02-29T23:59:59", "--msr", "1=2", "--msr", "w:3", "--cpuid", "1:eax=0",
                   "--trace-range", "1-2", "--trace=io,cr", "g"}),
            "");
  EXPECT_EQ(request.machine.devices.com1.kind, ChannelSpec::Kind::none);
  EXPECT_EQ(request.machine.devices.com2.path, "x");
  EXPECT_EQ(request.machine.irqchip, Irqchip::kernel);
  EXPECT_EQ(request.machine.devices.rtc->time_since_epoch().count(), 951868799);
  EXPECT_EQ(request.msrs, (std::vector<std::string>{"1=2", "w:3"}));
  EXPECT_EQ(request.cpuid, std::vector<std::string>{"1:eax=0"});
  EXPECT_EQ(request.trace_ranges, std::vector<std::string>{"1-2"});
  EXPECT_EQ(request.trace_kinds, std::vector<std::string>{"io,cr"});
}

TEST_F(LoadOptions, DatesThatAreNone) {
  for (const char* date :
       {"", "now", "2026-01-01", "2026-02-29T00:00:00", "2026-01-01T24:00:00",
        "2026-01-01T00:60:00", "2026-01-01T00:00:60", "2026-13-01T00:00:00", "2026-1-1T0:0:0",
        "2026-01-01T00:00:00Z", "2026-01-01 00:00:00", "2026-01-31T 3:59:59", " 026-01-31T23:59:59",
        "2026-00-31T23:59:59", "2026-01-00T23:59:59"})
    EXPECT_EQ(parse({"--rtc", date, "g"}).substr(0, 5), "--rtc") << date;
  EXPECT_EQ(parse({"--rtc", "1970-01-01T00:00:00", "g"}), "");
}

TEST_F(LoadOptions, EdgesOfMemoryCpusTimeAndName) {
  EXPECT_EQ(parse({"--mem", "4096", "g"}), "");
  EXPECT_EQ(parse({"--mem", "4095", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--mem", "0", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--mem", "16777215T", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--mem", "16777216T", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--cpus", "0", "g"}).substr(0, 6), "--cpus");
  EXPECT_EQ(parse({"--cpus", "65536", "g"}), "");
  EXPECT_EQ(parse({"--cpus", "65537", "g"}).substr(0, 6), "--cpus");
  EXPECT_EQ(parse({"--cpus", "-1", "g"}).substr(0, 6), "--cpus");
  for (const char* time :
       {"0", "-1", "x", "1s", "", "inf", "nan", "1e10", "1e-10", " 1", "+1", "0x10"})
    EXPECT_NE(parse({"--timeout", time, "g"}), "") << time;
  EXPECT_EQ(parse({"--name", std::string(63, 'n'), "g"}), "");
  EXPECT_EQ(parse({"--name", std::string(64, 'n'), "g"}).substr(0, 6), "--name");
}

TEST_F(LoadOptions, WrongLines) {
  EXPECT_NE(parse({}), "");
  EXPECT_NE(parse({"a", "b"}), "");
  EXPECT_NE(parse({"--nonsense", "a"}), "");
  EXPECT_NE(parse({"--at"}), "");
  EXPECT_NE(parse({"--at", "x", "a"}), "");
  EXPECT_NE(parse({"--at", "1", "--at", "2", "a"}), "");
  EXPECT_NE(parse({"--entry", "0x10000000000000000", "a"}), "");
  EXPECT_NE(parse({"--debug-exit", "bochs", "a"}), "");
}

}  // namespace
}  // namespace vmctl::cli
