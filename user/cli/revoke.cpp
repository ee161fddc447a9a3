// SPDX-License-Identifier: GPL-2.0
// vmctl revoke: take a VM away from whoever runs it.
#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "cli/command.hpp"
#include "cli/vm_id.hpp"
#include "kernel/ioctl.hpp"
#include "kernel/node.hpp"

namespace vmctl::cli {
namespace {

Result<int> revoke(const std::string& text) {
  const std::uint32_t id = TRY(parse_vm_id(text));
  const Node node = TRY(Node::open_vmctl());
  vmctl_revoke_vm request{.id = id, .flags = 0};
  if (const auto done = call(node.fd(), ioc::vmctl_revoke_vm, request); !done) {
    if (done.error().code == ENOENT)
      return fail(no_such_vm(fmt::format("cannot revoke VM {}", id)));
    return fail(explain(ioc::vmctl_revoke_vm.name, done.error()));
  }
  return 0;
}

}  // namespace

void add_revoke(CLI::App& command, Action& action) {
  command.footer(
      "Every use of the VM fails from then on (ENODEV); its process is not killed.\n"
      "For your own VMs; any of them for root. Status 66 if there is no such VM.");
  auto id = std::make_shared<std::string>();
  command.add_option("ID", *id, "as in vmctl ps")->required();
  command.callback([id, &action] { action = [id] { return revoke(*id); }; });
}

}  // namespace vmctl::cli
