// SPDX-License-Identifier: GPL-2.0
// libfuse's operations: each takes what it is told apart, has the folder do it and answers once.
#pragma once

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

namespace vmctl {

// For sessions whose user data is a ShareSession.
const fuse_lowlevel_ops& share_operations();

}  // namespace vmctl
