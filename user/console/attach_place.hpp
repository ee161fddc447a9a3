// SPDX-License-Identifier: GPL-2.0
// Where a running vmctl load can be attached to: a socket in a folder of its user's own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace vmctl {

// Where a user's sockets may be, the first choice first: $XDG_RUNTIME_DIR/vmctl for oneself, then
// /run/user/UID/vmctl, for root /run/vmctl, and /tmp/vmctl-UID.
std::vector<std::string> attach_folders(uid_t user);

// Whether nobody but `user` can have put anything there: a folder of his, closed to others.
bool is_private_folder(const std::string& path, uid_t user);

// The first of one's own that is private, or can be made so. output: there is none.
Result<std::string> make_attach_folder();

// "vm-7.sock", or "pid-812.sock" where there is no id of vmctl's.
std::string attach_name(std::uint32_t vm, pid_t pid);

}  // namespace vmctl
