// SPDX-License-Identifier: GPL-2.0
// The open door to KVM: /dev/vmctl, or a raw /dev/kvm.
#pragma once

#include <linux/vmctl.h>

#include <optional>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace vmctl {

inline constexpr const char* kVmctlPath = "/dev/vmctl";
inline constexpr const char* kKvmPath = "/dev/kvm";

class Node {
 public:
  // Opens a node and finds out what it is. Refuses what is neither vmctl nor KVM, and a vmctl of
  // another ABI.
  static Result<Node> open(const std::string& path);

  // Opens only what answers as vmctl: for commands that raw KVM does not have.
  static Result<Node> open_vmctl(const std::string& path = kVmctlPath);

  const Fd& fd() const { return fd_; }
  const std::string& path() const { return path_; }
  bool is_vmctl() const { return info_.has_value(); }
  // What VMCTL_GET_INFO answered when the node was opened; nothing on raw KVM.
  const std::optional<vmctl_info>& info() const { return info_; }

  // KVM_CHECK_EXTENSION; 0 where the capability is unknown.
  int capability(int number) const;

 private:
  Node(Fd fd, std::string path, std::optional<vmctl_info> info)
      : fd_(std::move(fd)), path_(std::move(path)), info_(info) {}

  Fd fd_;
  std::string path_;
  std::optional<vmctl_info> info_;
};

// Why a node cannot be opened, and the ways on from there.
Error explain_open(const std::string& path, int error);

}  // namespace vmctl
