// SPDX-License-Identifier: GPL-2.0
#include "kernel/module.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "kernel/cpu.hpp"
#include "kernel/kmod_library.hpp"
#include "kernel/node.hpp"

namespace vmctl {
namespace {

template <const auto& Free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Context = std::unique_ptr<kmod_ctx, Freed<kmod_unref>>;
using Module = std::unique_ptr<kmod_module, Freed<kmod_module_unref>>;
using ModuleList = std::unique_ptr<kmod_list, Freed<kmod_module_unref_list>>;
using InfoList = std::unique_ptr<kmod_list, Freed<kmod_module_info_free_list>>;

std::string kernel_release() {
  utsname name{};
  ::uname(&name);
  return name.release;
}

std::string module_directory() {
  return "/lib/modules/" + kernel_release();
}

Result<Context> open_context() {
  Context context(kmod_new(nullptr, nullptr));
  if (!context)
    return fail(
        {.status = Status::internal, .what = "cannot use libkmod", .why = errno_text(ENOMEM)});
  kmod_set_log_priority(context.get(), 0);  // what there is to say, we say
  return context;
}

Result<Module> by_name(const Context& context, const std::string& name) {
  kmod_module* module = nullptr;
  if (const int error = kmod_module_new_from_name(context.get(), name.c_str(), &module); error < 0)
    return fail({.status = Status::usage,
                 .what = fmt::format("module '{}'", escaped(name)),
                 .why = errno_text(-error)});
  return Module(module);
}

// All values of one key of modinfo.
std::vector<std::string> info(const Module& module, std::string_view key) {
  kmod_list* list = nullptr;
  std::vector<std::string> values;
  if (kmod_module_get_info(module.get(), &list) < 0) return values;
  const InfoList owner(list);
  const kmod_list* entry = nullptr;
  kmod_list_foreach(entry, list) {
    if (key == kmod_module_info_get_key(entry))
      values.emplace_back(kmod_module_info_get_value(entry));
  }
  return values;
}

std::string first(const std::vector<std::string>& values) {
  return values.empty() ? "" : values.front();
}

// "name:type" of modinfo's parmtype, "name:text" of its parm.
std::vector<std::string> known_parameters(const Module& module) {
  std::vector<std::string> names;
  for (const char* key : {"parmtype", "parm"})
    for (const std::string& value : info(module, key))
      names.push_back(value.substr(0, value.find(':')));
  return names;
}

bool is_loaded(const Module& module) {
  const int state = kmod_module_get_initstate(module.get());
  return state == KMOD_MODULE_LIVE || state == KMOD_MODULE_BUILTIN;
}

Failure load_failed(const std::string& what, const Module& module, int error) {
  return fail(explain_load_failure(what, {.error = error,
                                          .vermagic = first(info(module, "vermagic")),
                                          .release = kernel_release(),
                                          .lockdown = lockdown_mode(),
                                          .privileged = ::geteuid() == 0}));
}

Error not_found(const std::string& name) {
  return {.status = Status::unavailable,
          .what = fmt::format("cannot load the module {}", name),
          .where = module_directory(),
          .why = "there is no such module for the kernel that runs, " + kernel_release(),
          .advice = "install it (make install, then depmod), or name the file: --path FILE.ko"};
}

std::string parameters_text(std::span<const std::string> parameters) {
  return fmt::format("{}", fmt::join(parameters, " "));
}

}  // namespace

std::string lockdown_mode() {
  return parse_lockdown(read_line("/sys/kernel/security/lockdown"));
}

std::string parse_lockdown(std::string_view modes) {
  const auto open = modes.find('[');
  if (open == std::string_view::npos) return "";
  const std::string_view mode = modes.substr(open + 1);
  const auto close = mode.find_first_of("[]");
  if (close == std::string_view::npos || mode[close] == '[') return "";
  return mode.starts_with("none]") ? "" : std::string(mode.substr(0, close));
}

std::vector<std::string> parse_softdep(std::string_view line) {
  std::vector<std::string> before;
  bool pre = false;
  while (!line.empty()) {
    const auto space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    if (word.ends_with(':'))
      pre = word == "pre:";
    else if (pre && !word.empty())
      before.emplace_back(word);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
  }
  return before;
}

Error explain_load_failure(const std::string& module, const LoadFailure& failure) {
  Error error{.status = Status::unavailable,
              .what = fmt::format("cannot load the module {}", module),
              .why = errno_text(failure.error)};
  const std::string built_for = failure.vermagic.substr(0, failure.vermagic.find(' '));
  switch (failure.error) {
    case ENOEXEC:
      if (!built_for.empty() && built_for != failure.release) {
        error.why =
            fmt::format("it was built for kernel {}, and {} runs", built_for, failure.release);
        error.advice = "build it for the kernel that runs: make module, with its headers installed";
      } else {
        error.why =
            "the kernel does not take it: damaged, or built with other options than the "
            "kernel was";
        error.advice = "the kernel says more: dmesg | tail";
      }
      break;
    case EKEYREJECTED:
    case ENOKEY:
    case EBADMSG:
      error.why = failure.lockdown.empty()
                      ? "it is not signed with a key that this kernel trusts"
                      : fmt::format(
                            "it is not signed with a key that this kernel trusts, and the "
                            "kernel is locked down ({})",
                            failure.lockdown);
      error.advice =
          "sign it with an enrolled key (mokutil --import, kmodsign), or turn Secure Boot off";
      break;
    case EPERM:
    case EACCES:
      error.status = Status::refused;
      if (!failure.privileged) {
        error.why = "no permission";
        error.advice = "loading a module needs root: sudo vmctl module load";
      } else if (!failure.lockdown.empty()) {
        error.why = fmt::format("the kernel is locked down ({}) and the module is not signed",
                                failure.lockdown);
        error.advice = "sign it with an enrolled key, or turn Secure Boot off";
      } else {
        error.why = "no permission, although this is root";
        error.advice =
            "no CAP_SYS_MODULE (a container?), or sysctl kernel.modules_disabled is 1 until the "
            "next boot";
      }
      break;
    case EINVAL:
      error.why = "a parameter has a value that it cannot have";
      error.advice = "modinfo -p lists the parameters; dmesg | tail names the one";
      break;
    case ENOENT:
      error.why = "it needs a symbol that this kernel does not have";
      error.advice = "dmesg | tail names it; KVM may be missing: vmctl doctor";
      break;
    default:
      error.advice = "the kernel may say more: dmesg | tail";
      break;
  }
  return error;
}

Result<> check_parameters(const std::string& module, std::span<const std::string> parameters,
                          std::span<const std::string> known) {
  for (const std::string& parameter : parameters) {
    const auto equals = parameter.find('=');
    const std::string name = parameter.substr(0, equals);
    if (name.empty() || equals == std::string::npos)
      return fail({.status = Status::usage,
                   .what = fmt::format("parameter '{}'", escaped(parameter)),
                   .why = "not of the form NAME=VALUE"});
    if (!known.empty() && std::find(known.begin(), known.end(), name) == known.end())
      return fail(
          {.status = Status::usage,
           .what = fmt::format("the module {} has no parameter '{}'", module, escaped(name)),
           .advice = "see: modinfo -p " + module});
  }
  return {};
}

std::optional<std::string> missing_kvm_module() {
  if (::access(kKvmPath, F_OK) == 0) return std::nullopt;
  const std::string cpuinfo = read_file("/proc/cpuinfo").value_or("");
  if (cpu_has_flag(cpuinfo, "svm")) return "kvm-amd";
  if (cpu_has_flag(cpuinfo, "vmx")) return "kvm-intel";
  return std::nullopt;
}

ModuleStatus module_status(const std::string& name) {
  ModuleStatus status;
  const auto context = open_context();
  if (!context) return status;
  const auto module = by_name(*context, name);
  if (!module) return status;
  status.loaded = is_loaded(*module);
  if (!status.loaded) return status;
  status.references = std::max(0, kmod_module_get_refcnt(module->get()));
  const ModuleList holders(kmod_module_get_holders(module->get()));
  kmod_list* entry = nullptr;
  kmod_list_foreach(entry, holders.get()) {
    const Module holder(kmod_module_get_module(entry));
    status.holders.emplace_back(kmod_module_get_name(holder.get()));
  }
  const std::string folder = "/sys/module/" + name;
  status.version = read_line(folder + "/version");
  std::error_code ignored;
  for (const auto& file : std::filesystem::directory_iterator(folder + "/parameters", ignored))
    status.parameters[file.path().filename()] = escaped(read_line(file.path()));
  return status;
}

Result<Loaded> load_module(const std::string& name, std::span<const std::string> parameters) {
  const Context context = TRY(open_context());
  TRY(check_parameters(name, parameters, {}));
  kmod_list* found = nullptr;
  const int error = kmod_module_new_from_lookup(context.get(), name.c_str(), &found);
  const ModuleList list(found);
  if (error < 0 || found == nullptr) {
    // depmod may not know it and yet it is there: loaded from a file.
    if (is_loaded(TRY(by_name(context, name)))) return Loaded::before;
    return fail(not_found(name));
  }
  const Module module(kmod_module_get_module(found));
  if (is_loaded(module)) return Loaded::before;
  if (const char* path = kmod_module_get_path(module.get());
      path != nullptr && ::access(path, F_OK) != 0)
    return fail({.status = Status::unavailable,
                 .what = fmt::format("cannot load the module {}", name),
                 .where = path,
                 .why = errno_text(errno),
                 .advice = "the list of modules is older than the modules: run depmod"});
  TRY(check_parameters(name, parameters, known_parameters(module)));
  const std::string options = parameters_text(parameters);
  const int done = kmod_module_probe_insert_module(module.get(), KMOD_PROBE_FAIL_ON_LOADED,
                                                   options.c_str(), nullptr, nullptr, nullptr);
  if (done == -EEXIST) return Loaded::before;
  if (done < 0) return load_failed(name, module, -done);
  return Loaded::now;
}

Result<Loaded> load_module_file(const std::string& path, std::span<const std::string> parameters) {
  const Context context = TRY(open_context());
  if (::access(path.c_str(), R_OK) != 0)
    return fail({.status = Status::no_input,
                 .what = "cannot load the module",
                 .where = path,
                 .why = errno_text(errno)});
  kmod_module* raw = nullptr;
  if (const int error = kmod_module_new_from_path(context.get(), path.c_str(), &raw); error < 0)
    return fail({.status = Status::bad_image,
                 .what = "cannot load the module",
                 .where = path,
                 .why = error == -EEXIST ? "a module of that name is known from another file"
                                         : errno_text(-error)});
  const Module module(raw);
  if (is_loaded(module)) return Loaded::before;
  TRY(check_parameters(kmod_module_get_name(module.get()), parameters, known_parameters(module)));

  std::vector<std::string> needed;
  for (std::string names : info(module, "depends")) {
    std::replace(names.begin(), names.end(), ',', ' ');
    for (std::string& name : parse_softdep("pre: " + names)) needed.push_back(std::move(name));
  }
  for (const std::string& name : needed) TRY(load_module(name, {}));
  // A soft dependency may be missing: then the module itself says what it lacks.
  for (const std::string& line : info(module, "softdep"))
    for (const std::string& name : parse_softdep(line)) (void)load_module(name, {});

  const std::string options = parameters_text(parameters);
  const int done = kmod_module_insert_module(module.get(), 0, options.c_str());
  if (done == -EEXIST) return Loaded::before;
  if (done < 0) return load_failed(path, module, -done);
  return Loaded::now;
}

Result<> unload_module(const std::string& name) {
  const Context context = TRY(open_context());
  const Module module = TRY(by_name(context, name));
  Error error{.status = Status::unavailable, .what = fmt::format("cannot unload {}", name)};
  if (!is_loaded(module)) {
    error.why = "it is not loaded";
    return fail(std::move(error));
  }
  const int done = kmod_module_remove_module(module.get(), O_NONBLOCK);
  if (done >= 0) return {};
  error.why = errno_text(-done);
  if (done == -EPERM) {
    error.status = Status::refused;
    error.advice = "unloading a module needs root";
  }
  if (done == -EAGAIN || done == -EBUSY) {
    const ModuleStatus status = module_status(name);
    error.why = fmt::format("it is in use, {} time{}", status.references,
                            status.references == 1 ? "" : "s");
    if (!status.holders.empty())
      error.why += fmt::format(", by {}", fmt::join(status.holders, ", "));
  }
  return fail(std::move(error));
}

}  // namespace vmctl
