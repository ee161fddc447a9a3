// SPDX-License-Identifier: GPL-2.0-only
#include "state.hpp"

#include <algorithm>

#include "limits.hpp"

namespace t {

State State::now() {
  State state;
  for (const Row& row : table()) {
    state.rows.push_back(row.name + " " + row.state + " " + std::to_string(row.vcpus) + " " +
                         std::to_string(row.memory) + " " + row.image);
  }
  {
    const Fd system = open_device();
    vmctl_info info{};
    EXPECT_EQ(ctl(system, VMCTL_GET_INFO, &info), 0);
    state.vms = info.vms;
    state.vcpus = info.vcpus;
    vmctl_limits all{};
    EXPECT_EQ(get_limits(system, VMCTL_SCOPE_TOTAL, 0, &all), 0);
    std::ranges::copy(all.used, state.charged.begin());
  }
  state.references = slurp("/sys/module/vmctl/refcnt");
  state.fds = open_fds();
  state.kernel_fds = entries_of("/proc/2/fd");
  state.kvm_folders = kvm_debug_folders().size();
  return state;
}

State State::at_rest() {
  EXPECT_TRUE(eventually([] { return slurp("/sys/module/vmctl/refcnt") == "0\n"; }));
  return now();
}

bool State::returns_to(const State& state) {
  return eventually([&] { return State::now() == state; });
}

std::ostream& operator<<(std::ostream& out, const State& state) {
  return out << ::testing::PrintToString(state.rows) << ", " << state.vms << " VMs, " << state.vcpus
             << " vCPUs, charged " << ::testing::PrintToString(state.charged) << ", "
             << state.fds.size() << " fds, " << state.kernel_fds.size() << " of the kernel's, "
             << state.kvm_folders << " folders of KVM, references " << state.references;
}

}  // namespace t
