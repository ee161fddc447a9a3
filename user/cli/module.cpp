// SPDX-License-Identifier: GPL-2.0
// vmctl module: load, unload or show the kernel module.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/log.hpp"
#include "cli/command.hpp"
#include "kernel/module.hpp"
#include "kernel/node.hpp"

namespace vmctl::cli {
namespace {

struct LoadOptions {
  std::string path;
  std::vector<std::string> parameters;
};

Result<int> load(const LoadOptions& options) {
  if (const auto kvm = missing_kvm_module()) TRY(load_module(*kvm, {}));
  const Loaded loaded =
      TRY(options.path.empty() ? load_module(kModuleName, options.parameters)
                               : load_module_file(options.path, options.parameters));
  if (loaded == Loaded::now) return 0;
  if (!options.parameters.empty() || !options.path.empty())
    return fail({.status = Status::unavailable,
                 .what = "cannot load the module",
                 .why = "it is loaded already, and stays as it is",
                 .advice = "first: vmctl module unload"});
  note("the module is loaded already");
  return 0;
}

// Processes that hold /dev/vmctl or an fd from it, as far as we may see: "qemu (812)".
std::vector<std::string> users_of_module() {
  std::vector<std::string> users;
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    for (const auto& fd : std::filesystem::directory_iterator(process.path() / "fd", ignored)) {
      const std::string target = std::filesystem::read_symlink(fd.path(), ignored);
      if (target != kVmctlPath && !target.starts_with("anon_inode:vmctl") &&
          !target.starts_with("anon_inode:[vmctl"))
        continue;
      users.push_back(fmt::format("{} ({})", read_line(process.path() / "comm"), pid));
      break;
    }
  }
  return users;
}

Result<int> unload() {
  auto done = unload_module(kModuleName);
  if (done) return 0;
  const auto users = users_of_module();
  if (!users.empty()) {
    done.error().why += fmt::format("; held open by {}", fmt::join(users, ", "));
    done.error().advice = "end them, then try again; vmctl ps lists their VMs";
  }
  return fail(std::move(done.error()));
}

Result<int> show_status(bool json) {
  const ModuleStatus status = module_status(kModuleName);
  const int exit_status = static_cast<int>(status.loaded ? Status::ok : Status::unavailable);
  if (json) {
    fmt::print("{}\n", nlohmann::json{{"loaded", status.loaded},
                                      {"version", status.version},
                                      {"references", status.references},
                                      {"holders", status.holders},
                                      {"parameters", status.parameters}}
                           .dump());
    return exit_status;
  }
  if (!status.loaded) {
    fmt::print("{}: not loaded\n", kModuleName);
    return exit_status;
  }
  fmt::print("{}: loaded, version {}, in use {} time{}\n", kModuleName,
             status.version.empty() ? "unknown" : status.version, status.references,
             status.references == 1 ? "" : "s");
  for (const auto& [name, value] : status.parameters) fmt::print("  {}={}\n", name, value);
  return exit_status;
}

}  // namespace

void add_module(CLI::App& command, Action& action) {
  command.require_subcommand(1);

  CLI::App* load_command =
      command.add_subcommand("load", "load it, and KVM's modules before it, if need be");
  auto options = std::make_shared<LoadOptions>();
  load_command->add_option("PARAMETER", options->parameters, "module parameters, as NAME=VALUE");
  load_command
      ->add_option("--path", options->path, "load this file instead of the installed module")
      ->type_name("FILE.ko");
  load_command->callback([options, &action] { action = [options] { return load(*options); }; });

  CLI::App* unload_command = command.add_subcommand("unload", "unload it");
  unload_command->callback([&action] { action = unload; });

  CLI::App* status_command =
      command.add_subcommand("status", "show it; status 0 if it is loaded, 69 if not");
  auto json = std::make_shared<bool>(false);
  status_command->add_flag("--json", *json, "as JSON");
  status_command->callback([json, &action] { action = [json] { return show_status(*json); }; });
}

}  // namespace vmctl::cli
