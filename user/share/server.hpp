// SPDX-License-Identifier: GPL-2.0
// Who serves a guest's FUSE requests, as a device sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace vmctl {

class FuseServer {
 public:
  // The most of data that one request writes or reads; and a request in full, with its header.
  static constexpr std::size_t kDataMax = 1 << 20;
  static constexpr std::size_t kRequestMax = kDataMax + 4096;

  // Where an answer goes: these bytes at this offset in it. Within the room that was told.
  using Write = std::function<void(std::size_t offset, std::span<const std::uint8_t> bytes)>;

  FuseServer() = default;
  FuseServer(const FuseServer&) = delete;
  FuseServer& operator=(const FuseServer&) = delete;
  virtual ~FuseServer() = default;

  // One request, a copy that nobody else writes to; at a multiple of 8. Any bytes will do. Returns
  // the length of the answer, 0 if it has none. By one thread at a time.
  virtual std::size_t serve(std::span<const std::uint8_t> request, std::size_t room,
                            const Write& write) = 0;
  // The guest has gone, without a word: the next one begins anew.
  virtual void restart() = 0;
};

}  // namespace vmctl
