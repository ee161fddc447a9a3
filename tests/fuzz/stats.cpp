// SPDX-License-Identifier: GPL-2.0
// The kernel's counters of two vCPUs, as a table and as JSON.
#include "machine/stats.hpp"

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::vector<RunStats> vcpus;
  RunStats sum;
  for (unsigned i = 0; i < 2; ++i) {
    vcpus.push_back(from_kernel(input.number<vmctl_stats>()));
    vcpus.back().count(input.number<std::uint32_t>());
    sum += vcpus.back();
  }
  std::string table = format_stats(vcpus, sum);
  require(!table.ends_with('\n'), "whoever prints it ends the line");
  std::erase(table, '\n');
  require(is_safe(table), "a table can be shown");

  const auto json = exits_to_json(sum);
  std::size_t counted = 0;
  for (const std::uint64_t count : sum.exits) counted += count != 0 ? 1 : 0;
  require(json.size() == counted, "each reason has a name of its own");
  return 0;
}
