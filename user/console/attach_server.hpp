// SPDX-License-Identifier: GPL-2.0
// The machine's side of vmctl attach: several may read, from what is still kept of the beginning
// on, and type. None of them ever keeps the guest waiting: who reads too slowly loses the oldest.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "bus/clock.hpp"
#include "console/attach_protocol.hpp"
#include "console/monitor.hpp"
#include "console/ring.hpp"
#include "run/event_loop.hpp"

namespace vmctl {

class AttachServer {
 public:
  static constexpr std::size_t kPeers = 8;
  static constexpr std::size_t kKept = 256 << 10;

  // What it does with what they send, on the loop's thread.
  struct Host {
    std::function<bool()> has_room;  // for kFrameMax bytes of input
    std::function<void(std::string_view)> type;
    std::function<MonitorAnswer(std::string_view)> answer;
    std::function<void()> quit;
    std::function<void(TerminalSize)> resize;
  };

  // Listens at `path` until it goes. All must outlive it; the loop stopped before.
  static Result<std::unique_ptr<AttachServer>> open(const std::string& path, EventLoop& loop,
                                                    Host host);
  AttachServer(const AttachServer&) = delete;
  AttachServer& operator=(const AttachServer&) = delete;
  ~AttachServer();

  // From now on they find it at `path`, if it can be moved there. With the loop stopped.
  void move_to(const std::string& path);

  // Lets them in. The loop may start its thread for it.
  void start() { arrivals_->set(listener_.get()); }

  // Output of the guest's. May be called from any thread; never waits.
  void record(std::span<const std::uint8_t> bytes);
  // There is room for input again. On the loop's thread, like all that follows but finish().
  void on_room();
  std::size_t attached() const { return attached_; }

  // When the loop has been stopped: the last output, and how it ended, for who takes them at once.
  void finish(std::string_view end);

 private:
  struct Peer {
    Fd fd;
    FrameReader in;
    std::optional<Frame> held;  // input that there was no room for
    std::string out;            // one frame, or what is left of it
    std::string answer;         // of the monitor, what is left of it
    bool answering = false;
    bool leave = false;
    bool ending = false;  // gone when `out` is
    RingReader reader;
    std::unique_ptr<EventLoop::Watch> input;
    std::unique_ptr<EventLoop::Watch> room;
  };

  AttachServer(Fd listener, std::string path, EventLoop& loop, Host host);

  void accept();
  void receive(Peer& peer);
  void read_frames(Peer& peer);
  bool take(Peer& peer, const Frame& frame) const;
  void send(Peer& peer);
  bool next_frame(Peer& peer);
  bool write_out(Peer& peer);
  void drop(Peer& peer);

  Fd listener_;
  std::string path_;
  Host host_;
  std::unique_ptr<EventLoop::Watch> arrivals_;
  std::unique_ptr<Timer> output_;  // due when there is some that was not told the loop
  std::atomic<bool> told_ = false;
  std::atomic<std::size_t> attached_ = 0;
  std::array<Peer, kPeers> peers_;

  std::mutex lock_;
  Ring ring_{kKept};  // guarded by lock_
};

}  // namespace vmctl
