// SPDX-License-Identifier: GPL-2.0
// A file compressed with lz4.
#include "unpack.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::unpack_with(vmctl::unpack_lz4, data, size);
  return 0;
}
