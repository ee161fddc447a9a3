// SPDX-License-Identifier: GPL-2.0
// What vmctl top shows, as lines of text.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "watch/rates.hpp"

namespace vmctl {

// A user as people know him.
using UserName = std::function<std::string(std::uint32_t uid)>;

struct TopSize {
  std::size_t columns = 80;
  std::size_t lines = 24;
};

// A line of sums, the names of the columns, then a line for each VM in the order given; none is
// wider than the size says, and the last one tells how many VMs there was no room for.
std::vector<std::string> top_lines(const std::vector<VmRates>& vms, const UserName& user_name,
                                   TopSize size);

// At most five characters: "512", "64M", "1.5G".
std::string short_size(std::uint64_t bytes);
std::string short_count(double count);

}  // namespace vmctl
