// SPDX-License-Identifier: GPL-2.0
// vmctl revoke: take a VM away from whoever runs it.
#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <limits>
#include <memory>

#include "base/size.hpp"
#include "cli/command.hpp"
#include "kernel/ioctl.hpp"
#include "kernel/node.hpp"

namespace vmctl::cli {
namespace {

Result<std::uint32_t> parse_id(const std::string& text) {
  const auto id = parse_number(text);
  if (!id || *id == 0 || *id > std::numeric_limits<std::uint32_t>::max())
    return fail({.status = Status::usage,
                 .what = fmt::format("'{}'", text),
                 .why = "not the id of a VM",
                 .advice = "vmctl ps lists them"});
  return static_cast<std::uint32_t>(*id);
}

Result<int> revoke(const std::string& text) {
  const std::uint32_t id = TRY(parse_id(text));
  const Node node = TRY(Node::open_vmctl());
  vmctl_revoke_vm request{.id = id, .flags = 0};
  if (const auto done = call(node.fd(), ioc::vmctl_revoke_vm, request); !done) {
    if (done.error().code == ENOENT)
      return fail({.status = Status::no_input,
                   .what = fmt::format("cannot revoke VM {}", id),
                   .why = "there is none with this id that is yours",
                   .advice = "vmctl ps lists them"});
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
