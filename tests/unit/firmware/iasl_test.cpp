// SPDX-License-Identifier: GPL-2.0
// What ACPICA's compiler says of the tables: it takes them apart, puts them together again, and
// the result is the same.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>

#include "firmware/acpi.hpp"
#include "firmware/example.hpp"
#include "firmware/firmware.hpp"
#include "temporary.hpp"

namespace vmctl::firmware {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Without comments, which name file and day, and without what tells who has made the table, with
// its checksum and its bytes once more.
std::string code(const std::string& source) {
  std::istringstream lines(
      std::regex_replace(source, std::regex("/\\*[^*]*(\\*[^/][^*]*)*\\*/|//[^\n]*"), ""));
  const std::regex left_out("Checksum :|Asl Compiler|^    [0-9A-F]{4}: ");
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (!std::regex_search(line, left_out)) kept += line + "\n";
  return kept;
}

class IaslTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (std::system("iasl -v >/dev/null 2>&1") != 0)
      GTEST_SKIP() << "there is no iasl (package acpica-tools)";
  }
  // In the folder. It says nothing of errors and warnings, but in its count of them.
  void iasl(const std::string& arguments) const {
    const std::string log = folder.path("log");
    const int done =
        std::system(("cd " + folder.path("") + " && iasl " + arguments + " >log 2>&1").c_str());
    const std::string said = std::regex_replace(read(log), std::regex("0 (Errors|Warnings)"), "");
    EXPECT_TRUE(done == 0 && !std::regex_search(said, std::regex("[Ee]rror|[Ww]arning|[Ii]nvalid")))
        << arguments << "\n"
        << read(log);
  }
  vmctl::test::TemporaryFolder folder;
};

TEST_P(IaslTest, TakesItApartAndTogetherAgain) {
  Platform platform = vmctl::firmware::test::example(257);
  platform.pci->routes.clear();  // all that there can be
  for (std::uint8_t slot = 1; slot < 32; ++slot)
    for (std::uint8_t pin = 0; pin < 4; ++pin)
      platform.pci->routes.push_back({.slot = slot, .pin = pin, .gsi = 16, .irq = 10});
  for (const bool apics : {true, false}) {
    if (!apics) platform.apics.reset();
    const auto built = build(platform).value();
    for (const Block& block : built.blocks) {
      if (block.name != GetParam()) continue;
      folder.file("table.aml",
                  {reinterpret_cast<const char*>(block.bytes.data()), block.bytes.size()});
      iasl("-d table.aml");
      iasl("-p again -oa table.dsl");
      iasl("-d again.aml");
      EXPECT_EQ(code(read(folder.path("again.dsl"))), code(read(folder.path("table.dsl"))));
      EXPECT_NE(read(folder.path("table.dsl")).find(block.name), std::string::npos);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, IaslTest,
                         testing::Values("DSDT", "FACP", "APIC", "WAET", "RSDT", "XSDT", "FACS"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace vmctl::firmware
