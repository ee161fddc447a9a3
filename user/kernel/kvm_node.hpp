// SPDX-License-Identifier: GPL-2.0
// vmctl's node in the place of KVM's, for programs that know no other.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "kernel/node.hpp"

namespace vmctl {

// Where KVM's own node goes, if nobody says otherwise.
inline constexpr const char* kRealKvmPath = "/dev/kvm-real";

struct KvmNodes {
  std::string real = kRealKvmPath;  // where KVM's own goes, in the folder of `kvm`
  std::string kvm = kKvmPath;
  std::string own = kVmctlPath;
  std::string parameter = "/sys/module/vmctl/parameters/kvm_path";
};

// Those of the module that is loaded.
KvmNodes nodes_now();

// KVM's node becomes vmctl's, with mode, owner and ACL that it has; KVM's own stands at `real` from
// then on, for root alone, and the module, which is loaded, looks for it there. There is no moment
// without either, and no signal ends it half way. When it fails all is as it was. usage: `real` is
// in another folder.
Result<> replace_kvm(const KvmNodes& nodes);

// Whether KVM's node is vmctl's, and `real` KVM's own.
bool kvm_is_replaced(const KvmNodes& nodes);

// The other way round; what stands in KVM's place may be dead already.
Result<> restore_kvm(const KvmNodes& nodes);

// Of a replacement that nobody undid, or that broke off: where in the folder of `kvm` KVM's own
// node stands, beside a dead one or under a second name. For when the module is not loaded.
std::optional<KvmNodes> left_replaced(KvmNodes nodes = {});

}  // namespace vmctl
