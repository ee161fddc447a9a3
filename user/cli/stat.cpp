// SPDX-License-Identifier: GPL-2.0
// vmctl stat: what a VM has done so far.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/size.hpp"
#include "cli/command.hpp"
#include "cli/vm_id.hpp"
#include "watch/sample.hpp"

namespace vmctl::cli {
namespace {

void print_text(const VmSample& vm) {
  fmt::print("VM {} {}: {}, of uid {}, pid {}\n", vm.row.id,
             vm.row.name.empty() ? "-" : vm.row.name, vm.row.state, vm.row.uid, vm.row.pid);
  fmt::print("{} vCPUs, {} of memory, image {}\n", vm.row.vcpus, format_size(vm.row.memory),
             vm.row.image.empty() ? "-" : vm.row.image);
  fmt::print("{}\n", format_stats({}, vm.stats));
  if (!vm.timed) fmt::print("its time in KVM_RUN is not measured\n");
}

void print_json(const VmSample& vm) {
  nlohmann::json json{{"id", vm.row.id},           {"name", vm.row.name},
                      {"state", vm.row.state},     {"uid", vm.row.uid},
                      {"pid", vm.row.pid},         {"vcpus", vm.row.vcpus},
                      {"memory", vm.row.memory},   {"image", vm.row.image},
                      {"errors", vm.stats.errors}, {"exits", exits_to_json(vm.stats)}};
  if (vm.timed) json["run_ns"] = vm.stats.run_ns;
  fmt::print("{}\n", json.dump());
}

Result<int> show(const std::string& text, bool as_json) {
  const std::uint32_t id = TRY(parse_vm_id(text));
  const Node node = TRY(Node::open_vmctl());
  const Sample sample = TRY(take_sample(node));
  const auto vm = std::ranges::find(sample.vms, id, [](const VmSample& one) { return one.row.id; });
  if (vm == sample.vms.end()) return fail(no_such_vm(fmt::format("VM {}", id)));
  as_json ? print_json(*vm) : print_text(*vm);
  return 0;
}

}  // namespace

void add_stat(CLI::App& command, Action& action) {
  command.footer("Your own VMs; any for root. Status 66 if there is no such VM.");
  auto id = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  command.add_option("ID", *id, "as in vmctl ps")->required();
  command.add_flag("--json", *json, "as JSON");
  command.callback([id, json, &action] { action = [id, json] { return show(*id, *json); }; });
}

}  // namespace vmctl::cli
