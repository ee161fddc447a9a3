// SPDX-License-Identifier: GPL-2.0
#include "watch/rates.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace vmctl {
namespace {

constexpr std::string_view kReason = "KVM_EXIT_";

double per_second(std::uint64_t before, std::uint64_t now, double seconds) {
  if (now <= before || seconds <= 0) return 0;
  return static_cast<double>(now - before) / seconds;
}

VmRates rates_of(const VmSample* before, const VmSample& now, double seconds) {
  VmRates vm{.row = now.row, .exits = 0, .reasons = {}, .guest = {}};
  for (std::size_t reason = 0; reason < now.stats.exits.size(); ++reason) {
    const double rate = per_second(before == nullptr ? 0 : before->stats.exits[reason],
                                   now.stats.exits[reason], seconds);
    if (rate <= 0) continue;
    vm.exits += rate;
    vm.reasons.emplace_back(reason_name(reason), rate);
  }
  std::ranges::stable_sort(vm.reasons, std::greater(), [](const auto& one) { return one.second; });
  // Its process may have been in other guests before it.
  if (before != nullptr && before->guest && now.guest)
    vm.guest = per_second(static_cast<std::uint64_t>(before->guest->count()),
                          static_cast<std::uint64_t>(now.guest->count()), seconds) /
               1e9;
  return vm;
}

}  // namespace

std::vector<VmRates> rates(const Sample& before, const Sample& now) {
  std::map<std::uint32_t, const VmSample*> known;
  for (const VmSample& vm : before.vms) known[vm.row.id] = &vm;
  const double seconds = std::chrono::duration<double>(now.at - before.at).count();
  std::vector<VmRates> all;
  all.reserve(now.vms.size());
  for (const VmSample& vm : now.vms) {
    const auto found = known.find(vm.row.id);
    all.push_back(rates_of(found == known.end() ? nullptr : found->second, vm, seconds));
  }
  return all;
}

std::optional<SortBy> sort_key(std::string_view word) {
  using enum SortBy;
  for (const auto& [key, text] : {std::pair<SortBy, std::string_view>{id, "id"},
                                  {user, "user"},
                                  {name, "name"},
                                  {vcpus, "vcpus"},
                                  {memory, "memory"},
                                  {exits, "exits"},
                                  {guest, "guest"}})
    if (text == word) return key;
  return std::nullopt;
}

void sort(std::vector<VmRates>& vms, SortBy key) {
  const auto by = [&](const auto& member, auto order) {
    std::ranges::stable_sort(vms, order, member);
  };
  by([](const VmRates& vm) { return vm.row.id; }, std::less());
  switch (key) {
    case SortBy::id:
      break;
    case SortBy::user:
      by([](const VmRates& vm) { return vm.row.uid; }, std::less());
      break;
    case SortBy::name:
      by([](const VmRates& vm) { return vm.row.name; }, std::less());
      break;
    case SortBy::vcpus:
      by([](const VmRates& vm) { return vm.row.vcpus; }, std::greater());
      break;
    case SortBy::memory:
      by([](const VmRates& vm) { return vm.row.memory; }, std::greater());
      break;
    case SortBy::exits:
      by([](const VmRates& vm) { return vm.exits; }, std::greater());
      break;
    case SortBy::guest:
      by([](const VmRates& vm) { return vm.guest.value_or(-1); }, std::greater());
      break;
  }
}

std::string reasons_text(const VmRates& vm, std::size_t columns) {
  std::string text;
  for (const auto& [reason, rate] : vm.reasons) {
    std::string_view name = reason;
    if (name.starts_with(kReason)) name.remove_prefix(kReason.size());
    const std::string one =
        fmt::format("{}{} {:.0f}%", text.empty() ? "" : " ", name, 100 * rate / vm.exits);
    if (text.size() + one.size() > columns) break;
    text += one;
  }
  return text;
}

nlohmann::json rates_to_json(const std::vector<VmRates>& vms) {
  auto json = nlohmann::json::array();
  for (const VmRates& vm : vms) {
    nlohmann::json reasons = nlohmann::json::object();
    for (const auto& [reason, rate] : vm.reasons) reasons[reason] = rate;
    nlohmann::json one{{"id", vm.row.id},
                       {"pid", vm.row.pid},
                       {"uid", vm.row.uid},
                       {"name", vm.row.name},
                       {"state", vm.row.state},
                       {"vcpus", vm.row.vcpus},
                       {"memory", vm.row.memory},
                       {"exits_per_second", vm.exits},
                       {"reasons_per_second", reasons}};
    one["guest_cpus"] = vm.guest ? nlohmann::json(*vm.guest) : nlohmann::json();
    json.push_back(std::move(one));
  }
  return json;
}

}  // namespace vmctl
