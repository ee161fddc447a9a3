// SPDX-License-Identifier: GPL-2.0
// vmctl ps: list the VMs that the module knows.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/size.hpp"
#include "cli/command.hpp"
#include "kernel/node.hpp"
#include "kernel/vm_table.hpp"

namespace vmctl::cli {
namespace {

constexpr std::size_t kDigestShown = std::string_view("sha256:").size() + 12;
constexpr std::size_t kColumns = 9;
using Cells = std::array<std::string, kColumns>;

Cells cells(const VmRow& row) {
  return {
      fmt::format("{}", row.id),        fmt::format("{}", row.pid),
      fmt::format("{}", row.uid),       row.state,
      fmt::format("{}", row.vcpus),     format_size(row.memory),
      fmt::format("{}", row.exits),     row.image.empty() ? "-" : row.image.substr(0, kDigestShown),
      row.name.empty() ? "-" : row.name};
}

void print_table(const std::vector<VmRow>& rows) {
  std::vector<Cells> lines{
      {"ID", "PID", "UID", "STATE", "VCPUS", "MEMORY", "EXITS", "IMAGE", "NAME"}};
  for (const VmRow& row : rows) lines.push_back(cells(row));
  std::array<std::size_t, kColumns> width{};
  for (const Cells& cell : lines)
    for (std::size_t i = 0; i < kColumns; ++i) width[i] = std::max(width[i], cell[i].size());
  for (const Cells& cell : lines) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) fmt::print("{:<{}}  ", cell[i], width[i]);
    fmt::print("{}\n", cell.back());
  }
}

void print_json(const std::vector<VmRow>& rows) {
  auto json = nlohmann::json::array();
  for (const VmRow& row : rows)
    json.push_back({{"id", row.id},
                    {"pid", row.pid},
                    {"uid", row.uid},
                    {"name", row.name},
                    {"state", row.state},
                    {"vcpus", row.vcpus},
                    {"memory", row.memory},
                    {"exits", row.exits},
                    {"image", row.image}});
  fmt::print("{}\n", json.dump());
}

}  // namespace

void add_ps(CLI::App& command, Action& action) {
  command.footer("Your own VMs; all of them for root.");
  auto json = std::make_shared<bool>(false);
  command.add_flag("--json", *json, "as a JSON array, with whole digests");
  command.callback([json, &action] {
    action = [json]() -> Result<int> {
      const Node node = TRY(Node::open_vmctl());
      const auto rows = TRY(read_vm_table(node));
      *json ? print_json(rows) : print_table(rows);
      return 0;
    };
  });
}

}  // namespace vmctl::cli
