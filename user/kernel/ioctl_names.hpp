// SPDX-License-Identifier: GPL-2.0
// The commands that KVM's and vmctl's headers name, as they were installed when this was built.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kernel/ioctl_number.hpp"

namespace vmctl {

struct IoctlName {
  IoctlNumber number;
  std::string_view name;      // "KVM_GET_REGS"
  std::string_view argument;  // "struct kvm_regs"; empty where it has none
  std::string_view header;    // "linux/kvm.h"
};

// By type and number, then by name.
std::span<const IoctlName> known_ioctls();

// All that share this number.
std::vector<IoctlName> ioctls_named(IoctlNumber number);

// All of the same type and number whose direction or size is another.
std::vector<IoctlName> ioctls_nearly(IoctlNumber number);

}  // namespace vmctl
