// SPDX-License-Identifier: GPL-2.0
// Stream sockets in the file system.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace vmctl {

// A listener at `path` that does not block. What a dead process left there is taken away; where
// somebody listens, or something else is, it is refused (output).
Result<Fd> listen_at(const std::string& path);

// no_input: nobody is there.
Result<Fd> connect_to(const std::string& path);

}  // namespace vmctl
