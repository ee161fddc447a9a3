// SPDX-License-Identifier: GPL-2.0
#include "watch/sample.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>

#include "base/file.hpp"
#include "base/size.hpp"
#include "kernel/ioctl.hpp"

namespace vmctl {
namespace {

// Fields behind the process's name, which may hold blanks and parentheses itself.
constexpr std::size_t kGuestTime = 43 - 3;

std::optional<std::chrono::nanoseconds> guest_time(std::uint32_t pid) {
  const auto ticks = parse_guest_ticks(read_line(fmt::format("/proc/{}/stat", pid)));
  const long a_second = ::sysconf(_SC_CLK_TCK);
  if (!ticks || a_second <= 0) return std::nullopt;
  return std::chrono::nanoseconds(std::chrono::seconds(1)) / a_second * *ticks;
}

void add_guest_times(std::vector<VmSample>& vms) {
  std::map<std::uint32_t, int> vms_of;
  for (const VmSample& vm : vms) ++vms_of[vm.row.pid];
  for (VmSample& vm : vms) {
    if (vm.timed) {
      vm.guest = std::chrono::nanoseconds(vm.stats.run_ns);
    } else if (vms_of[vm.row.pid] == 1 && vm.row.pid != 0) {
      vm.guest = guest_time(vm.row.pid);
    }
  }
}

}  // namespace

std::optional<std::uint64_t> parse_guest_ticks(std::string_view stat) {
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  stat.remove_prefix(name_end + 1);
  for (std::size_t field = 0; !stat.empty(); ++field) {
    stat.remove_prefix(std::min(stat.find_first_not_of(" \n"), stat.size()));
    const std::string_view word = stat.substr(0, stat.find_first_of(" \n"));
    if (field == kGuestTime) {
      const auto ticks = parse_number(word);
      return ticks ? std::optional(*ticks) : std::nullopt;
    }
    stat.remove_prefix(word.size());
  }
  return std::nullopt;
}

Result<Sample> take_sample(const Node& node) {
  Sample sample{.at = std::chrono::steady_clock::now(), .vms = {}};
  for (VmRow& row : TRY(read_vm_table(node))) {
    vmctl_stats stats{};
    stats.id = row.id;
    stats.vcpu = VMCTL_ALL_VCPUS;
    if (const auto done = call(node.fd(), ioc::vmctl_get_stats, stats); !done) {
      if (done.error().code == ENOENT) continue;
      return fail(explain(ioc::vmctl_get_stats.name, done.error()));
    }
    sample.vms.push_back({.row = std::move(row),
                          .stats = from_kernel(stats),
                          .timed = (stats.flags & VMCTL_VM_TIME_RUN) != 0,
                          .guest = {}});
  }
  add_guest_times(sample.vms);
  return sample;
}

}  // namespace vmctl
