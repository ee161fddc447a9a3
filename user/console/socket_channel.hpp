// SPDX-License-Identifier: GPL-2.0
// A serial line that others connect to, one at a time, through a socket of the file system.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "console/channel.hpp"
#include "run/ending.hpp"

namespace vmctl {

// Listens at `path` until the channel goes, and takes it away then. Output is kept for whoever
// connects next (Backlog).
Result<std::unique_ptr<Channel>> open_socket_channel(const std::string& path, Ending& ending);

}  // namespace vmctl
