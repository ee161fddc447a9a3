// SPDX-License-Identifier: GPL-2.0
// vmctl policy: who may have how much of KVM, and which of its commands.
#include <fmt/format.h>

#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

#include "base/file.hpp"
#include "base/undisturbed.hpp"
#include "cli/command.hpp"
#include "cli/policy_show.hpp"
#include "kernel/node.hpp"
#include "policy/apply.hpp"
#include "policy/limits.hpp"
#include "policy/policy_edit.hpp"
#include "policy/policy_file.hpp"
#include "policy/user_name.hpp"

namespace vmctl::cli {
namespace {

struct SetOptions {
  bool of_user = false;
  std::string user;
  bool total = false;
  bool reset = false;
  bool runtime = false;
  std::string path = kPolicyPath;
  std::array<std::optional<std::string>, VMCTL_RESOURCES> values;
};

Result<PolicyEdit> edit_of(const SetOptions& options) {
  PolicyEdit edit{.scope = Scope::each(), .whose = "each", .limits = {}, .alone = options.reset};
  if (options.total) {
    edit.scope = Scope::total();
    edit.whose = "total";
  } else if (options.of_user) {
    edit.scope = Scope::user(TRY(uid_of(options.user)));
    edit.whose = fmt::format("user {}", word_for(options.user, edit.scope.uid));
  }
  for (const Resource resource : kResources)
    if (const auto& text = options.values[static_cast<std::size_t>(resource)])
      edit.limits[resource] = TRY(parse_limit(resource, *text));
  if (edit.limits[Resource::vm_vcpus] && !has_limit(edit.scope.kind, Resource::vm_vcpus))
    return fail({.status = Status::usage,
                 .what = "--total --vm-vcpus",
                 .why = "that is of one VM, which has one owner",
                 .advice = "vmctl policy set --vm-vcpus N, with --user for one of them"});
  if (!options.reset && edit.limits == Limits{})
    return fail({.status = Status::usage,
                 .what = "nothing to set",
                 .why = "no limit is named",
                 .advice = "see: vmctl policy set --help"});
  return edit;
}

Error unreadable(const std::string& path) {
  return {.status = Status::no_input,
          .what = "cannot read the policy",
          .where = path,
          .why = errno_text(errno),
          .advice = "vmctl policy load --help tells what stands in it"};
}

// What the file says with the edit.
Result<std::string> edited(const PolicyEdit& edit, const std::string& path) {
  const auto old = read_file(path);
  if (!old && errno != ENOENT) return fail(unreadable(path));
  return edit_policy(old.value_or(""), path, find_user, edit);
}

Result<> keep(const std::string& text, const std::string& path) {
  if (read_file(path) == text || replace_file(path, text)) return {};
  return fail({.status = Status::output,
               .what = "cannot write the policy",
               .where = path,
               .why = errno_text(errno),
               .advice = "--runtime sets limits without keeping them"});
}

// First what may be wrong with the file, then the module, which may refuse; and that is as it was
// again if the file cannot be written.
Result<int> set(const SetOptions& options) {
  const PolicyEdit edit = TRY(edit_of(options));
  const Node node = TRY(Node::open_vmctl());
  const Fd lock = lock_file(kChangeLock);
  const std::string text = options.runtime ? "" : TRY(edited(edit, options.path));
  const Limits before = own_of(TRY(read_limits(node, edit.scope)));
  Limits limits = edit.alone ? Limits{} : before;
  for (const Resource resource : kResources)
    if (edit.limits[resource]) limits[resource] = edit.limits[resource];
  const Undisturbed undisturbed;
  TRY(write_limits(node, edit.scope, limits, edit.alone ? Others::as_at_first : Others::stay));
  if (options.runtime) return 0;
  auto kept = keep(text, options.path);
  if (kept) return 0;
  [[maybe_unused]] const auto back = write_limits(node, edit.scope, before);
  return fail(std::move(kept.error()));
}

Result<Policy> read_policy(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return fail(unreadable(path));
  return parse_policy(*text, path, find_user);
}

struct FileOptions {
  std::string path = kPolicyPath;
  bool if_there = false;
};

Result<int> load(const FileOptions& options) {
  if (options.if_there && ::access(options.path.c_str(), F_OK) != 0 && errno == ENOENT) return 0;
  const Policy policy = TRY(read_policy(options.path));
  const Node node = TRY(Node::open_vmctl());
  const Fd lock = lock_file(kChangeLock);
  const Undisturbed undisturbed;
  TRY(apply(node, policy));
  return 0;
}

Result<int> check(const FileOptions& options) {
  TRY(read_policy(options.path));
  return 0;
}

constexpr const char* kFileHelp =
    "A line of the file: total|each|user NAME, vms|vcpus|memory|vm_vcpus|nested, a number or max:\n"
    "  each memory 8G\n"
    "  user alice vms 4      # of her own instead of each's\n"
    "What it does not name is as the module has it at first. Status 65 and nothing changed if a\n"
    "line is bad.";

}  // namespace

void add_policy(CLI::App& command, Action& action) {
  command.require_subcommand(1);

  CLI::App* show_command =
      command.add_subcommand("show", "show limits, what is used, and the table of commands");
  auto show_options = std::make_shared<PolicyShown>();
  const CLI::Option* of_user =
      show_command
          ->add_option("--user", show_options->user,
                       "of whom (default: you; for root also all who have limits of their own)")
          ->type_name("NAME|UID");
  show_command->add_flag("--json", show_options->json, "as JSON");
  show_command->callback([show_options, of_user, &action] {
    show_options->of_user = of_user->count() != 0;
    action = [show_options] { return show_policy(*show_options); };
  });

  CLI::App* set_command =
      command.add_subcommand("set", "set limits, and keep them in the policy's file");
  set_command->footer(
      "Of each user, where neither --user nor --total is given; 'max' is no limit.");
  auto set_options = std::make_shared<SetOptions>();
  CLI::Option* user = set_command->add_option("--user", set_options->user, "of this one alone");
  user->type_name("NAME|UID");
  set_command->add_flag("--total", set_options->total, "of all users together")->excludes(user);
  const auto limit = [&](Resource resource, const char* option, const char* help) {
    return set_command
        ->add_option(option, set_options->values[static_cast<std::size_t>(resource)], help)
        ->type_name(resource == Resource::memory ? "SIZE|max" : "N|max");
  };
  limit(Resource::vms, "--vms", "VMs");
  limit(Resource::vcpus, "--vcpus", "vCPUs of all those");
  limit(Resource::memory, "--memory", "their guest memory");
  limit(Resource::vm_vcpus, "--vm-vcpus", "vCPUs of one VM");
  limit(Resource::nested, "--nested", "VMs that may run VMs themselves; 0 forbids it");
  set_command->add_flag("--reset", set_options->reset,
                        "those that are not given here are as at first; with --user: no limits\n"
                        "of his own but those");
  CLI::Option* file = set_command->add_option("--file", set_options->path, "where to keep them");
  file->type_name("FILE")->capture_default_str();
  set_command
      ->add_flag("--runtime", set_options->runtime, "until the module is unloaded, kept nowhere")
      ->excludes(file);
  set_command->callback([set_options, user, &action] {
    set_options->of_user = user->count() != 0;
    action = [set_options] { return set(*set_options); };
  });

  for (const auto& [name, help, run] :
       {std::tuple{"load", "set the limits of a file", &load},
        std::tuple{"check", "read a file as load does, and set nothing", &check}}) {
    CLI::App* file_command = command.add_subcommand(name, help);
    file_command->footer(kFileHelp);
    auto options = std::make_shared<FileOptions>();
    file_command->add_option("FILE", options->path, "the policy")->capture_default_str();
    if (run == &load)
      file_command->add_flag("--if-there", options->if_there,
                             "do nothing if there is no such file");
    file_command->callback(
        [options, run = run, &action] { action = [options, run] { return run(*options); }; });
  }
}

}  // namespace vmctl::cli
