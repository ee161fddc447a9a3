// SPDX-License-Identifier: GPL-2.0
// What VMs do at present: the difference of two samples.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "watch/sample.hpp"

namespace vmctl {

struct VmRates {
  VmRow row;
  double exits = 0;                                     // a second
  std::vector<std::pair<std::string, double>> reasons;  // a second, most frequent first
  std::optional<double> guest;  // CPUs in the guest, as 1.5; nothing where it is not known, as of
                                // a VM that is new
};

// Of the VMs in `now`; the exits of those that are not in `before` count from their start.
std::vector<VmRates> rates(const Sample& before, const Sample& now);

enum class SortBy { id, user, name, vcpus, memory, exits, guest };

// "id", "user", "name", "vcpus", "memory", "exits", "guest"
std::optional<SortBy> sort_key(std::string_view word);
// Names and ids upwards, all else downwards; by id where that is the same.
void sort(std::vector<VmRates>& vms, SortBy key);

// "IO 61% MMIO 30%", as far as it fits into so many columns.
std::string reasons_text(const VmRates& vm, std::size_t columns);

nlohmann::json rates_to_json(const std::vector<VmRates>& vms);

}  // namespace vmctl
