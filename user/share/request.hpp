// SPDX-License-Identifier: GPL-2.0
// A FUSE request (linux/fuse.h) as a guest has written it: whether it is one. libfuse takes the
// kernel's word for all lengths and names; a guest's is checked here before.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vmctl {

struct FuseVerdict {
  int error = 0;       // errno to answer with; 0: it may be served
  bool answer = true;  // whether its kind has an answer at all
  bool operator==(const FuseVerdict&) const = default;
};

// A request in full: header, arguments, names, data. Where it may be served, all that libfuse looks
// at lies within it, names end there and are names of one component.
FuseVerdict check_fuse_request(std::span<const std::uint8_t> request);

// 0 for what may be the name of an entry: neither empty, nor "." or "..", nor with a slash, nor
// longer than NAME_MAX. Otherwise the errno.
int check_fuse_name(std::string_view name);

}  // namespace vmctl
