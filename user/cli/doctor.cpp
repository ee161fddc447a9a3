// SPDX-License-Identifier: GPL-2.0
// vmctl doctor: check what vmctl needs, and say how to mend it.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/command.hpp"
#include "cli/findings.hpp"

namespace vmctl::cli {
namespace {

void print(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings) {
    fmt::print("{:<8} {}: {}\n", finding.ok ? "ok" : "problem", finding.subject, finding.state);
    if (!finding.mend.empty()) fmt::print("{:<8} {}\n", "", "mend: " + finding.mend);
  }
}

void print_json(const std::vector<Finding>& findings) {
  auto json = nlohmann::json::array();
  for (const Finding& finding : findings)
    json.push_back({{"ok", finding.ok},
                    {"subject", finding.subject},
                    {"state", finding.state},
                    {"mend", finding.mend}});
  fmt::print("{}\n", json.dump());
}

}  // namespace

void add_doctor(CLI::App& command, Action& action) {
  command.footer("Status 0 if all is well, 69 if there is a problem.");
  auto json = std::make_shared<bool>(false);
  command.add_flag("--json", *json, "as a JSON array");
  command.callback([json, &action] {
    action = [json]() -> Result<int> {
      const auto findings = examine();
      *json ? print_json(findings) : print(findings);
      const bool well = std::all_of(findings.begin(), findings.end(),
                                    [](const Finding& finding) { return finding.ok; });
      return static_cast<int>(well ? Status::ok : Status::unavailable);
    };
  });
}

}  // namespace vmctl::cli
