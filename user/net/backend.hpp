// SPDX-License-Identifier: GPL-2.0
// The far side of a network card: where the guest's frames go and others come from.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/result.hpp"
#include "net/spec.hpp"

namespace vmctl {

// Frames are Ethernet's, without preamble and checksum. All calls but the constructor's may come
// from any thread.
class NetBackend {
 public:
  // An IPv4 packet of the greatest length behind Ethernet's header, and a tag of 802.1Q.
  static constexpr std::size_t kFrameMax = 65535 + 14 + 4;

  static Result<std::unique_ptr<NetBackend>> open(const NetSpec& spec);

  NetBackend() = default;
  NetBackend(const NetBackend&) = delete;
  NetBackend& operator=(const NetBackend&) = delete;
  virtual ~NetBackend() = default;

  // From now on `arrived` is called, on a thread of the back end's that holds no lock, when there
  // is something to receive(). If it says false, for want of buffers, it is not called again before
  // resume().
  virtual void start(std::function<bool()> arrived) = 0;
  virtual void resume() = 0;
  // `arrived` does not run when this returns, and will not. Not from `arrived`.
  virtual void stop() = 0;

  // A frame from the guest. Never waits: what cannot go is lost, as on any network.
  virtual void send(std::span<const std::uint8_t> frame) = 0;
  // The next frame for the guest, and its length; 0 if there is none now. Frames that are longer
  // than `room` are lost.
  virtual std::size_t receive(std::span<std::uint8_t> room) = 0;
};

}  // namespace vmctl
