// SPDX-License-Identifier: GPL-2.0
// A file compressed with zstd.
#include "unpack.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::unpack_with(vmctl::unpack_zstd, data, size);
  return 0;
}
