// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/fs.hpp"

#include <algorithm>
#include <limits>

namespace vmctl {

VirtioFs::VirtioFs(FuseServer& server, std::string_view tag) : server_(server) {
  const std::string_view fits = tag.substr(0, kTagMax);
  std::copy(fits.begin(), fits.end(), config_.begin());
  config_[kTagMax] = 1;
}

Result<> VirtioFs::serve(unsigned index) {
  return serve_each(index, chain_,
                    [this](const Chain& chain) -> Result<std::uint32_t> { return handle(chain); });
}

std::uint32_t VirtioFs::handle(const Chain& chain) {
  // Longer than any that is one: nobody waits for an answer.
  if (chain.readable.size() > FuseServer::kRequestMax) return 0;
  const auto size = static_cast<std::size_t>(chain.readable.size());
  if (request_.size() < size) request_.resize(size);
  const auto request = std::span(request_).first(size);
  chain.readable.read(0, request);
  const std::size_t room = static_cast<std::size_t>(
      std::min<std::uint64_t>(chain.writable.size(), std::numeric_limits<std::uint32_t>::max()));
  const std::size_t length =
      server_.serve(request, room, [&](std::size_t offset, std::span<const std::uint8_t> bytes) {
        chain.writable.write(offset, bytes);
      });
  return static_cast<std::uint32_t>(length);
}

}  // namespace vmctl
