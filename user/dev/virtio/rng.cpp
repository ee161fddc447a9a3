// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/rng.hpp"

#include <sys/random.h>

namespace vmctl {

Result<> VirtioRng::serve(unsigned index) {
  return serve_each(index, chain_, [](const Chain& chain) -> Result<std::uint32_t> {
    std::size_t written = 0;
    for (const iovec& part : chain.writable.iovecs(0, kAtOnce)) {
      const ssize_t got = ::getrandom(part.iov_base, part.iov_len, 0);
      if (got > 0) written += static_cast<std::size_t>(got);
      if (got < 0 || static_cast<std::size_t>(got) < part.iov_len) break;
    }
    return static_cast<std::uint32_t>(written);
  });
}

}  // namespace vmctl
