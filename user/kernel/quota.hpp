// SPDX-License-Identifier: GPL-2.0
// Which limit it was that a command of ours met (EDQUOT).
#pragma once

#include <linux/vmctl.h>

#include <string_view>

#include "base/result.hpp"
#include "kernel/ioctl.hpp"

namespace vmctl {

// explain() of a command that is charged for: with the limit that it met, as the module's events
// tell.
Error explain_charged(std::string_view name, Errno error);

// Completes an error out of an event: which limit, whose, how much is in use, and whom to ask for
// more. Its resource is one that is known.
void explain_quota(Error& error, const vmctl_event& event);

}  // namespace vmctl
