// SPDX-License-Identifier: GPL-2.0
#include "policy/commands.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "kernel/ioctl.hpp"

namespace vmctl {

Result<std::vector<vmctl_command>> read_commands(const Node& node) {
  std::vector<vmctl_command> commands;
  for (;;) {
    vmctl_command command{};
    command.index = static_cast<std::uint32_t>(commands.size());
    if (const auto done = call(node.fd(), ioc::vmctl_get_command, command); !done) {
      if (done.error().code == ENOENT) break;
      return fail(explain(ioc::vmctl_get_command.name, done.error()));
    }
    commands.push_back(command);
  }
  std::ranges::sort(commands, {}, [](const vmctl_command& command) {
    return std::pair{command.verdict, std::string_view(command.name)};
  });
  return commands;
}

std::string_view verdict_name(std::uint32_t verdict) {
  constexpr std::array kNames{"allowed", "checked", "emulated", "refused", "own"};
  return verdict < kNames.size() ? kNames[verdict] : "unknown";
}

std::string fds_text(std::uint32_t on) {
  std::string text;
  for (const auto& [bit, name] : {std::pair<std::uint32_t, const char*>{VMCTL_ON_SYSTEM, "system"},
                                  {VMCTL_ON_VM, "vm"},
                                  {VMCTL_ON_VCPU, "vcpu"}}) {
    if ((on & bit) == 0) continue;
    if (!text.empty()) text += ',';
    text += name;
  }
  return text;
}

}  // namespace vmctl
