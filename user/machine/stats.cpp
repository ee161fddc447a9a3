// SPDX-License-Identifier: GPL-2.0
#include "machine/stats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kLast = VMCTL_EXIT_REASONS - 1;

std::string row(const std::string& head, const std::vector<std::string>& cells) {
  std::string text = fmt::format("{:<24}", head);
  for (const std::string& cell : cells) text += fmt::format(" {:>12}", cell);
  return text + "\n";
}

template <class Get>
std::string number_row(const std::string& head, const std::vector<RunStats>& vcpus,
                       const RunStats& sum, Get get) {
  std::vector<std::string> cells;
  cells.reserve(vcpus.size() + 1);
  for (const RunStats& vcpu : vcpus) cells.push_back(get(vcpu));
  cells.push_back(get(sum));
  return row(head, cells);
}

}  // namespace

std::string reason_name(std::size_t reason) {
  return reason == kLast ? fmt::format("KVM_EXIT_{}+", kLast)
                         : exit_name(static_cast<std::uint32_t>(reason));
}

void RunStats::count(std::uint32_t reason) {
  const std::atomic_ref<std::uint64_t> times(exits[std::min<std::size_t>(reason, kLast)]);
  // One thread writes: no more than a plain addition, but others may look.
  times.store(times.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

RunStats& RunStats::operator+=(const RunStats& other) {
  for (std::size_t i = 0; i < exits.size(); ++i) exits[i] += other.exits[i];
  errors += other.errors;
  run_ns += other.run_ns;
  return *this;
}

RunStats RunStats::seen() const {
  RunStats copy;
  for (std::size_t i = 0; i < exits.size(); ++i)
    // The standard lets no atomic_ref look at what is const before C++26.
    copy.exits[i] = std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(exits[i]))
                        .load(std::memory_order_relaxed);
  return copy;
}

RunStats from_kernel(const vmctl_stats& stats) {
  RunStats result{.exits = {}, .errors = stats.errors, .run_ns = stats.run_ns};
  std::copy(std::begin(stats.exits), std::end(stats.exits), result.exits.begin());
  return result;
}

std::string format_stats(const std::vector<RunStats>& vcpus, const RunStats& sum) {
  std::vector<std::string> heads;
  heads.reserve(vcpus.size() + 1);
  for (std::size_t i = 0; i < vcpus.size(); ++i) heads.push_back(fmt::format("vCPU {}", i));
  heads.emplace_back("sum");
  std::string table = row("exits by reason", heads);
  for (std::size_t reason = 0; reason < sum.exits.size(); ++reason)
    if (sum.exits[reason] != 0)
      table += number_row(reason_name(reason), vcpus, sum, [reason](const RunStats& stats) {
        return fmt::format("{}", stats.exits[reason]);
      });
  if (sum.errors != 0)
    table += number_row("KVM_RUN failed", vcpus, sum,
                        [](const RunStats& stats) { return fmt::format("{}", stats.errors); });
  table += number_row("ms in KVM_RUN", vcpus, sum, [](const RunStats& stats) {
    return fmt::format("{:.3f}", static_cast<double>(stats.run_ns) / 1e6);
  });
  table.pop_back();  // whoever prints it ends the line
  return table;
}

nlohmann::json exits_to_json(const RunStats& stats) {
  nlohmann::json json = nlohmann::json::object();
  for (std::size_t reason = 0; reason < stats.exits.size(); ++reason)
    if (stats.exits[reason] != 0) json[reason_name(reason)] = stats.exits[reason];
  return json;
}

}  // namespace vmctl
