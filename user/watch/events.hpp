// SPDX-License-Identifier: GPL-2.0
// What happened at the door, one after the other (VMCTL_GET_EVENT).
#pragma once

#include <linux/vmctl.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "kernel/node.hpp"

namespace vmctl {

// The next one for this open node; nothing if there is none yet.
Result<std::optional<vmctl_event>> next_event(const Node& node);

// Until there may be one; false when whoever reads the pipe or terminal `reader` is gone.
Result<bool> wait_for_event(const Node& node, int reader);

// "created", "ended", "revoked", "refused", "limit".
std::string event_kind(const vmctl_event& event);

// "2026-11-21T19:57:02.250 refused KVM_CREATE_DEVICE, vm 3, uid 1000, pid 812", in local time.
std::string format_event(const vmctl_event& event);
nlohmann::json event_to_json(const vmctl_event& event);

}  // namespace vmctl
