// SPDX-License-Identifier: GPL-2.0
// A file compressed with gzip.
#include "unpack.hpp"

FUZZ_TARGET(data, size) {
  vmctl::fuzz::unpack_with(vmctl::unpack_gzip, data, size);
  return 0;
}
