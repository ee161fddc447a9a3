// SPDX-License-Identifier: GPL-2.0
#include "cli/command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace vmctl::cli {
namespace {

struct Ran {
  int status;
  std::string out;
  std::string err;
};

Ran run_line(const std::vector<std::string_view>& arguments) {
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const int status = run(arguments);
  std::string out = testing::internal::GetCapturedStdout();
  return {status, std::move(out), testing::internal::GetCapturedStderr()};
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST(CommandLine, NoArgumentsGiveHelp) {
  const Ran result = run_line({});
  EXPECT_EQ(result.status, 0);
  for (const Command& command : commands()) EXPECT_TRUE(holds(result.out, command.name));
  EXPECT_EQ(result.err, "");
}

TEST(CommandLine, HelpDocumentsEveryStatus) {
  const Ran result = run_line({"load", "--help"});
  EXPECT_EQ(result.status, 0);
  for (const char* status : {"0 ", "1-63", "64 ", "65 ", "66 ", "69 ", "70 ", "74 ", "77 ", "80 ",
                             "81 ", "82 ", "124 ", "128+N"})
    EXPECT_TRUE(holds(result.out, std::string("\n    ") + status)) << status;
}

TEST(CommandLine, Version) {
  const Ran result = run_line({"--version"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(holds(result.out, "vmctl "));
  EXPECT_TRUE(holds(result.out, "ABI 1"));
}

TEST(CommandLine, AnUnknownCommandNamesACloseOne) {
  const Ran close = run_line({"laod"});
  EXPECT_EQ(close.status, 64);
  EXPECT_TRUE(holds(close.err, "vmctl load")) << close.err;
  const Ran far = run_line({"frobnicate"});
  EXPECT_EQ(far.status, 64);
  EXPECT_FALSE(holds(far.err, "did you mean")) << far.err;
  EXPECT_FALSE(holds(run_line({"\033[2J"}).err, "\033"));
}

TEST(CommandLine, WrongUsageIs64AndPointsToTheRightHelp) {
  for (const std::vector<std::string_view>& line :
       std::vector<std::vector<std::string_view>>{{"load"},
                                                  {"--nonsense"},
                                                  {"load", "--mem", "x", "f"},
                                                  {"module"},
                                                  {"module", "frob"},
                                                  {"revoke"},
                                                  {"revoke", "x"},
                                                  {"revoke", "0"},
                                                  {"revoke", "4294967296"},
                                                  {"ps", "extra"},
                                                  {"load", "--reg", "rax", "f"},
                                                  {"load", "--entry=1", "--reg=rip=1", "f"}})
    EXPECT_EQ(run_line(line).status, 64) << line.front();
  EXPECT_TRUE(holds(run_line({"module", "load", "--x"}).err, "vmctl module load --help"));
}

TEST(CommandLine, ErrorsOfLoadAsJson) {
  const Ran result = run_line({"load", "--json", "/nonexistent/\xff"});
  EXPECT_EQ(result.status, 66);
  EXPECT_TRUE(holds(result.err, R"("status":66)")) << result.err;
  EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1);
}

}  // namespace
}  // namespace vmctl::cli
