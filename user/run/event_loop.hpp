// SPDX-License-Identifier: GPL-2.0
// The thread beside the vCPUs: it waits for input from outside and for the devices' timers. It
// starts when there is first something to wait for, so that a guest without costs no thread.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/event.hpp"
#include "bus/clock.hpp"

namespace vmctl {

// From its making on.
class MachineClock final : public Clock {
 public:
  Time now() const override { return std::chrono::steady_clock::now() - start_; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class EventLoop {
 public:
  // All it is given must outlive it, or stop() must have come before.
  explicit EventLoop(const Clock& clock) : clock_(clock) {}
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() { stop(); }

  // Handlers run on the loop's thread, one after the other, with no lock held. Timers and watches
  // must not outlive the loop.
  std::unique_ptr<Timer> timer(std::function<void()> handler);

  // An fd whose input, or room for output, is waited for, while there is one.
  class Watch {
   public:
    virtual ~Watch() = default;
    // -1: none. May be called from any thread.
    virtual void set(int fd) = 0;
    virtual void set_for_room(int fd) = 0;
  };
  std::unique_ptr<Watch> watch(std::function<void()> handler);

  // By its clock, as timers have it.
  Time now() const { return clock_.now(); }

  // Brings a handler that waits in a system call out of it. While there is a KickHandler.
  void kick();
  // No handler runs when this returns, and none will before go_on(). Not from a handler. A handler
  // that waits in a system call is brought out of it.
  void stop();
  void go_on();

 private:
  struct Entry {
    std::function<void()> handler;
    std::optional<Time> at;  // when to call it
    int fd = -1;             // or on what of which fd
    short events = 0;
    std::atomic<bool> forgotten = false;  // nobody holds it any more
  };
  class Handle;

  std::shared_ptr<Entry> add(std::function<void()> handler);
  void change(Entry& entry, std::optional<Time> at, int fd, short events);
  void start();
  void run();

  const Clock& clock_;
  Event wake_;
  std::mutex lock_;
  std::list<std::shared_ptr<Entry>> entries_;  // guarded by lock_, but for their handlers
  bool stopped_ = false;                       // guarded by lock_
  std::thread thread_;                         // likewise
  std::atomic<bool> running_ = false;
};

}  // namespace vmctl
