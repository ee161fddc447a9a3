// SPDX-License-Identifier: GPL-2.0
#include "kernel/node.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>

#include "kernel/ioctl.hpp"

namespace vmctl {
namespace {

constexpr int kKvmApiVersion = 12;  // fixed since Linux 2.6.22

std::string owner_of(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) return "";
  const passwd* user = ::getpwuid(st.st_uid);
  const group* grp = ::getgrgid(st.st_gid);
  return fmt::format("mode {:04o}, user {}, group {}", st.st_mode & 07777U,
                     user != nullptr ? user->pw_name : std::to_string(st.st_uid),
                     grp != nullptr ? grp->gr_name : std::to_string(st.st_gid));
}

std::string group_of(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0 || (st.st_mode & S_IRGRP) == 0) return "";
  const group* grp = ::getgrgid(st.st_gid);
  return grp != nullptr && st.st_gid != 0 ? grp->gr_name : "";
}

Error neither(const std::string& path) {
  return {.status = Status::unavailable,
          .what = "cannot use the device",
          .where = path,
          .why = "it answers neither as vmctl nor as KVM",
          .advice = "give --device /dev/vmctl or --device /dev/kvm"};
}

}  // namespace

Error explain_open(const std::string& path, int error) {
  Error explained{.status = Status::unavailable,
                  .what = "cannot open the device",
                  .where = path,
                  .why = errno_text(error)};
  switch (error) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
      if (path == kKvmPath) {
        explained.advice = "KVM is not loaded, or this machine has none: vmctl doctor tells which";
      } else if (path == kVmctlPath) {
        explained.why = "the vmctl module is not loaded";
        explained.advice =
            "load it (as root): vmctl module load\n  or use KVM without it: --device /dev/kvm";
      } else {
        explained.advice = "give --device /dev/vmctl (the default) or --device /dev/kvm";
      }
      break;
    case EACCES:
    case EPERM: {
      explained.status = Status::refused;
      explained.why = fmt::format("permission denied ({})", owner_of(path));
      const std::string members = group_of(path);
      explained.advice =
          members.empty()
              ? "run as root, or have the administrator give the node to a group you are in"
              : fmt::format(
                    "join the group {0} (as root: usermod -aG {0} USER; then log in again), or run "
                    "as root",
                    members);
      break;
    }
    default:
      break;
  }
  return explained;
}

Result<Node> Node::open(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return fail(explain_open(path, errno));

  struct stat st {};
  if (::fstat(fd.get(), &st) != 0 || !S_ISCHR(st.st_mode)) return fail(neither(path));

  vmctl_info info{};
  if (call(fd, ioc::vmctl_get_info, info)) {
    if (info.abi_version != VMCTL_ABI_VERSION)
      return fail({.status = Status::unavailable,
                   .what = "cannot use the device",
                   .where = path,
                   .why = fmt::format("the module speaks ABI {}, this program ABI {}",
                                      info.abi_version, VMCTL_ABI_VERSION),
                   .advice = "install module and program of one version; vmctl doctor shows both"});
    return Node(std::move(fd), path, info);
  }
  const auto version = call(fd, ioc::get_api_version);
  if (!version || *version != kKvmApiVersion) return fail(neither(path));
  return Node(std::move(fd), path, std::nullopt);
}

Result<Node> Node::open_vmctl(const std::string& path) {
  auto node = open(path);
  if (!node) {
    if (node.error().status == Status::unavailable)
      node.error().advice = "load the module (as root): vmctl module load";
    return node;
  }
  if (!node->is_vmctl())
    return fail({.status = Status::unavailable,
                 .what = "cannot use the device",
                 .where = path,
                 .why = "this is KVM itself; the command needs the vmctl module",
                 .advice = "load it (as root): vmctl module load"});
  return node;
}

int Node::capability(int number) const {
  return call(fd_, ioc::check_extension, static_cast<std::uint64_t>(number)).value_or(0);
}

}  // namespace vmctl
