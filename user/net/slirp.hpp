// SPDX-License-Identifier: GPL-2.0
// A network of the user's own, without privileges: libslirp speaks TCP and UDP with the guest, and
// has sockets of this process for it. As in QEMU the network is 10.0.2.0/24, the host 10.0.2.2
// (also what listens on its loopback), DNS 10.0.2.3, and DHCP gives 10.0.2.15. IPv4 alone.
#pragma once

#include <slirp/libslirp.h>

#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <vector>

#include "net/backend.hpp"
#include "net/poll_thread.hpp"

namespace vmctl {

class SlirpNetwork final : public NetBackend {
 public:
  static constexpr std::uint32_t kNetwork = 0x0a000200;  // 10.0.2.0
  // Frames that wait for the guest to have buffers.
  static constexpr std::size_t kWaitingMax = 512;

  // Forwards are there when this returns.
  static Result<std::unique_ptr<NetBackend>> open(const NetSpec& spec);
  ~SlirpNetwork() override;

  void start(std::function<bool()> arrived) override;
  void resume() override;
  void stop() override { thread_.stop(); }
  void send(std::span<const std::uint8_t> frame) override;
  std::size_t receive(std::span<std::uint8_t> room) override;

 private:
  struct Alarm {
    SlirpTimerCb act;
    void* opaque;
    std::optional<std::int64_t> at;  // ms of libslirp's clock
  };

  SlirpNetwork() = default;
  Result<> create(const NetSpec& spec);
  Result<> forward(const PortForward& forward);

  // What libslirp calls; `opaque` is this. It does so only from within its own functions.
  static const SlirpCb kCallbacks;
  static ssize_t take_frame(const void* bytes, size_t size, void* opaque);
  static void* add_timer(SlirpTimerCb act, void* act_opaque, void* opaque);
  static void remove_timer(void* timer, void* opaque);
  static int add_poll(int fd, int events, void* opaque);
  static int polled(int index, void* opaque);

  std::optional<std::chrono::milliseconds> fill(std::vector<pollfd>& fds);
  void poll(const std::vector<pollfd>& fds);
  void ring_alarms();

  std::mutex mutex_;  // libslirp knows of no threads: guards it and what it calls back for
  Slirp* slirp_ = nullptr;
  std::list<Alarm> alarms_;
  std::vector<pollfd>* filling_ = nullptr;
  const std::vector<pollfd>* polled_ = nullptr;

  std::mutex waiting_mutex_;  // after mutex_
  std::deque<std::vector<std::uint8_t>> waiting_;
  bool paused_ = false;  // guarded by waiting_mutex_

  PollThread thread_;
};

}  // namespace vmctl
