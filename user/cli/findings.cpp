// SPDX-License-Identifier: GPL-2.0
#include "cli/findings.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <linux/vmctl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file.hpp"
#include "kernel/cpu.hpp"
#include "kernel/kvm_node.hpp"
#include "kernel/module.hpp"
#include "kernel/node.hpp"

namespace vmctl::cli {
namespace {

std::string describe_node(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return errno_text(errno);
  const passwd* user = ::getpwuid(st.st_uid);
  const group* grp = ::getgrgid(st.st_gid);
  return fmt::format("mode {:04o} {}:{}", st.st_mode & 07777U,
                     user != nullptr ? user->pw_name : fmt::format("{}", st.st_uid),
                     grp != nullptr ? grp->gr_name : fmt::format("{}", st.st_gid));
}

Finding examine_node(const std::string& path, const std::string& absent) {
  if (::access(path.c_str(), F_OK) != 0) return {false, path, "there is no such node", absent};
  const auto node = Node::open(path);
  if (node) return {true, path, describe_node(path), ""};
  return {false, path, node.error().why, node.error().advice};
}

Finding examine_kvm_module(const std::string& cpuinfo) {
  for (const char* name : {"kvm_amd", "kvm_intel"}) {
    if (!module_status(name).loaded) continue;
    const std::string nested = read_line(fmt::format("/sys/module/{}/parameters/nested", name));
    return {true, "KVM's module",
            fmt::format("{} is loaded{}", name,
                        nested.empty() ? "" : fmt::format(", nested={}", nested)),
            ""};
  }
  // KVM may be built in, or be of another kind: the node tells.
  if (Node::open(kKvmPath)) return {true, "KVM's module", "KVM answers", ""};
  const std::string name = cpu_has_flag(cpuinfo, "svm") ? "kvm_amd" : "kvm_intel";
  return {false, "KVM's module", "neither kvm_amd nor kvm_intel is loaded",
          fmt::format("modprobe {}; if it refuses, dmesg | tail says why", name)};
}

Finding examine_module() {
  const ModuleStatus status = module_status(kModuleName);
  if (const auto left = left_replaced(); left && !status.loaded)
    return {
        false, "vmctl's module",
        fmt::format("not loaded, but was in the place of KVM, whose node is {}", left->real),
        "vmctl module unload puts that back; vmctl module load --replace-kvm goes on (as root)"};
  if (!status.loaded) return {false, "vmctl's module", "not loaded", "vmctl module load (as root)"};
  return {true, "vmctl's module",
          fmt::format("version {}, in use {} time{}",
                      status.version.empty() ? "unknown" : status.version, status.references,
                      status.references == 1 ? "" : "s"),
          ""};
}

Finding examine_abi() {
  const auto node = Node::open_vmctl();
  if (!node) return {false, "ABI", node.error().why, node.error().advice};
  const vmctl_info& info = *node->info();
  if (info.kvm_errno != 0)
    return {false, "ABI",
            fmt::format("the module does not reach KVM: {}",
                        errno_text(static_cast<int>(info.kvm_errno))),
            "load KVM's module; see the lines above"};
  const std::string version(info.version, ::strnlen(info.version, sizeof info.version));
  return {true, "ABI",
          fmt::format("{} in module and program (module {}, program {}), KVM API {}",
                      info.abi_version, version, VMCTL_VERSION, info.kvm_api_version),
          ""};
}

Finding examine_lockdown() {
  const std::string mode = lockdown_mode();
  if (mode.empty()) return {true, "lockdown", "off: unsigned modules load", ""};
  if (module_status(kModuleName).loaded)
    return {true, "lockdown", fmt::format("{}; the module is loaded all the same", mode), ""};
  return {false, "lockdown", fmt::format("{}: only signed modules load", mode),
          "sign the module with an enrolled key, or turn Secure Boot off"};
}

}  // namespace

Finding examine_cpu(const std::string& cpuinfo) {
  for (const auto& [flag, name] : {std::pair{"svm", "AMD-V (svm)"}, {"vmx", "Intel VT-x (vmx)"}})
    if (cpu_has_flag(cpuinfo, flag)) return {true, "processor", name, ""};
  // Software KVM needs neither.
  if (Node::open(kKvmPath)) return {true, "processor", "neither svm nor vmx, but KVM answers", ""};
  return {false, "processor", "neither svm nor vmx",
          "turn virtualization on in the firmware; in a virtual machine, nesting on its host"};
}

std::vector<Finding> examine() {
  const std::string cpuinfo = read_file("/proc/cpuinfo").value_or("");
  return {examine_cpu(cpuinfo),
          examine_lockdown(),
          examine_kvm_module(cpuinfo),
          examine_node(kKvmPath, "load KVM's module, or turn virtualization on in the firmware"),
          examine_module(),
          examine_node(kVmctlPath, "vmctl module load (as root)"),
          examine_abi()};
}

}  // namespace vmctl::cli
