// SPDX-License-Identifier: GPL-2.0
#include "watch/top_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmctl {
namespace {

// Columns with the blank behind each; reasons and the name share what is left.
constexpr std::size_t kFixed = 7 + 9 + 6 + 6 + 8 + 7;
constexpr std::string_view kReasons = "EXITS BY REASON";

std::string cut(std::string text, std::size_t columns) {
  if (text.size() > columns) text.resize(columns);
  return text;
}

std::string in_units(double value, double unit, std::string_view units) {
  std::size_t i = 0;
  while (value >= unit && i + 1 < units.size()) {
    value /= unit;
    ++i;
  }
  const bool whole = i == 0 || value >= 10 || value == static_cast<double>(static_cast<int>(value));
  std::string text = whole ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
  if (i != 0) text += units[i];
  return text;
}

std::string guest_text(const VmRates& vm) {
  return vm.guest ? fmt::format("{:.0f}%", 100 * *vm.guest) : "-";
}

std::string sums(const std::vector<VmRates>& vms) {
  std::uint64_t vcpus = 0;
  std::uint64_t memory = 0;
  double exits = 0;
  for (const VmRates& vm : vms) {
    vcpus += vm.row.vcpus;
    memory += vm.row.memory;
    exits += vm.exits;
  }
  return fmt::format("{} VM{}, {} vCPU{}, {} of memory, {} exits/s", vms.size(),
                     vms.size() == 1 ? "" : "s", vcpus, vcpus == 1 ? "" : "s", short_size(memory),
                     short_count(exits));
}

// Half of the room that is left, or what the longest wants.
std::size_t width_of_reasons(const std::vector<VmRates>& vms, std::size_t columns) {
  const std::size_t most = columns > kFixed ? (columns - kFixed) / 2 : 0;
  std::size_t width = kReasons.size();
  for (const VmRates& vm : vms) width = std::max(width, reasons_text(vm, most).size());
  return std::min(width, most);
}

std::string line_of(const VmRates& vm, const UserName& user_name, std::size_t reasons,
                    std::size_t columns) {
  std::string line =
      fmt::format("{:<6} {:<8} {:>5} {:>5} {:>7} {:>6} {:<{}} {}", vm.row.id,
                  cut(user_name(vm.row.uid), 8), vm.row.vcpus, short_size(vm.row.memory),
                  short_count(vm.exits), guest_text(vm), reasons_text(vm, reasons), reasons,
                  (vm.row.state == "active" ? "" : "(" + vm.row.state + ") ") +
                      (vm.row.name.empty() ? "-" : vm.row.name));
  return cut(std::move(line), columns);
}

}  // namespace

std::string short_size(std::uint64_t bytes) {
  return in_units(static_cast<double>(bytes), 1024, " KMGTPE");
}

std::string short_count(double count) {
  return in_units(count, 1000, " kMG");
}

std::vector<std::string> top_lines(const std::vector<VmRates>& vms, const UserName& user_name,
                                   TopSize size) {
  const std::size_t reasons = width_of_reasons(vms, size.columns);
  std::vector<std::string> lines{
      cut(sums(vms), size.columns),
      cut(fmt::format("{:<6} {:<8} {:>5} {:>5} {:>7} {:>6} {:<{}} {}", "ID", "USER", "VCPUS", "MEM",
                      "EXITS/S", "GUEST", kReasons, reasons, "NAME"),
          size.columns)};
  for (std::size_t i = 0; i < vms.size(); ++i) {
    if (lines.size() + 1 >= size.lines && i + 1 < vms.size()) {
      lines.push_back(cut(fmt::format("... and {} more", vms.size() - i), size.columns));
      break;
    }
    lines.push_back(line_of(vms[i], user_name, reasons, size.columns));
  }
  if (lines.size() > size.lines) lines.resize(size.lines);
  return lines;
}

}  // namespace vmctl
