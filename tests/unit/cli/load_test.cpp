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
  EXPECT_EQ(request.machine.image, "guest.bin");
  EXPECT_EQ(request.machine.flat.at, GuestAddr{0x1000});
  EXPECT_FALSE(request.machine.flat.entry);
  EXPECT_EQ(request.machine.memory, 64U << 20);
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
  EXPECT_EQ(request.machine.image, "guest.bin");
  EXPECT_EQ(request.machine.flat.at, GuestAddr{0x2000});
  EXPECT_EQ(request.machine.flat.entry, GuestAddr{0x2010});
  EXPECT_EQ(request.machine.memory, 1U << 30);
  EXPECT_EQ(request.registers, (std::vector<std::string>{"rax=2", "rbx=2"}));
  EXPECT_EQ(request.machine.cpus, 3U);
  EXPECT_EQ(request.run.timeout, std::chrono::milliseconds(250));
  EXPECT_TRUE(request.run.trace && request.stats && request.json);
  EXPECT_EQ(request.machine.device, "/dev/kvm");
  EXPECT_EQ(request.machine.name, "n");
  EXPECT_EQ(request.machine.debug_exit, DebugExitStyle::qemu);
}

TEST_F(LoadOptions, ARegisterDoesNotSwallowTheFile) {
  ASSERT_EQ(parse({"--reg", "rax=2", "guest.bin"}), "");
  EXPECT_EQ(request.machine.image, "guest.bin");
}

TEST_F(LoadOptions, EdgesOfMemoryCpusTimeAndName) {
  EXPECT_EQ(parse({"--mem", "4096", "g"}), "");
  EXPECT_EQ(parse({"--mem", "4095", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--mem", "0", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--mem", "16777215T", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--mem", "16777216T", "g"}).substr(0, 5), "--mem");
  EXPECT_EQ(parse({"--cpus", "0", "g"}).substr(0, 6), "--cpus");
  EXPECT_EQ(parse({"--cpus", "4096", "g"}), "");
  EXPECT_EQ(parse({"--cpus", "4097", "g"}).substr(0, 6), "--cpus");
  EXPECT_EQ(parse({"--cpus", "-1", "g"}).substr(0, 6), "--cpus");
  for (const char* time : {"0", "-1", "x", "1s", "", "inf", "nan", "1e10"})
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
