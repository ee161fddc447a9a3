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
#include "kernel/kvm_node.hpp"
#include "kernel/module.hpp"
#include "kernel/node.hpp"

namespace vmctl::cli {
namespace {

struct LoadOptions {
  std::string path;
  std::vector<std::string> parameters;
  bool replace_kvm = false;
};

// Where KVM's node goes, as the parameters say; they no longer do then, as KVM is not there yet
// when the module starts.
std::string take_real_kvm(std::vector<std::string>& parameters) {
  constexpr std::string_view kName = "kvm_path=";
  std::string real = kRealKvmPath;
  std::erase_if(parameters, [&](const std::string& parameter) {
    if (!parameter.starts_with(kName)) return false;
    real = parameter.substr(kName.size());
    return true;
  });
  return real;
}

Result<Loaded> load_as_told(const LoadOptions& options) {
  const Loaded loaded =
      TRY(options.path.empty() ? load_module(kModuleName, options.parameters)
                               : load_module_file(options.path, options.parameters));
  if (loaded == Loaded::now || (options.parameters.empty() && options.path.empty())) return loaded;
  return fail({.status = Status::unavailable,
               .what = "cannot load the module",
               .why = "it is loaded already, and stays as it is",
               .advice = "first: vmctl module unload"});
}

// A module that is loaded stays, with its limits and VMs.
Result<int> load_in_the_place_of_kvm(LoadOptions options) {
  KvmNodes nodes;
  nodes.real = take_real_kvm(options.parameters);
  const Loaded loaded = TRY(load_as_told(options));
  if (kvm_is_replaced(nodes_now())) {
    nodes = nodes_now();
    note(fmt::format("the module is in the place of KVM already, whose node is {}", nodes.real));
  }
  auto done = replace_kvm(nodes);
  if (done) return 0;
  if (loaded == Loaded::now) [[maybe_unused]]
    const auto unloaded = unload_module(kModuleName);
  return fail(std::move(done.error()));
}

Result<int> load(const LoadOptions& options) {
  const Fd lock = lock_file(kChangeLock);
  if (const auto kvm = missing_kvm_module()) TRY(load_module(*kvm, {}));
  if (!module_status(kModuleName).loaded) {
    if (const auto left = left_replaced()) TRY(restore_kvm(*left));
  }
  if (options.replace_kvm) return load_in_the_place_of_kvm(options);
  if (TRY(load_as_told(options)) == Loaded::before)
    note(kvm_is_replaced(nodes_now()) ? "the module is loaded already, in the place of KVM"
                                      : "the module is loaded already");
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
  const Fd lock = lock_file(kChangeLock);
  if (!module_status(kModuleName).loaded) {
    if (const auto left = left_replaced()) {
      TRY(restore_kvm(*left));
      note("the module was gone already; KVM's node is back");
      return 0;
    }
  }
  const KvmNodes nodes = nodes_now();
  const bool replaced = kvm_is_replaced(nodes);
  auto done = unload_module(kModuleName);
  if (done && replaced) TRY(restore_kvm(nodes));
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
  load_command->add_flag(
      "--replace-kvm", options->replace_kvm,
      "make /dev/kvm vmctl's, until vmctl module unload; KVM's own node goes to\n"
      "kvm_path (/dev/kvm-real), for root alone");
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
