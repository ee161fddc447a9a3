// SPDX-License-Identifier: GPL-2.0
#include "run/event_loop.hpp"

#include <poll.h>

#include <algorithm>
#include <csignal>
#include <vector>

#include "run/kick.hpp"

namespace vmctl {

// An entry as its owner holds it. Entries stay with the loop until it is stopped, as its thread may
// be about to call.
class EventLoop::Handle final : public Timer, public EventLoop::Watch {
 public:
  Handle(EventLoop& loop, std::shared_ptr<Entry> entry) : loop_(loop), entry_(std::move(entry)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override { entry_->forgotten = true; }

  void set(Time at) override { loop_.change(*entry_, at, -1, 0); }
  void stop() override { loop_.change(*entry_, std::nullopt, -1, 0); }
  void set(int fd) override { loop_.change(*entry_, std::nullopt, fd, POLLIN); }
  void set_for_room(int fd) override { loop_.change(*entry_, std::nullopt, fd, POLLOUT); }

 private:
  EventLoop& loop_;
  std::shared_ptr<Entry> entry_;
};

std::shared_ptr<EventLoop::Entry> EventLoop::add(std::function<void()> handler) {
  auto entry = std::make_shared<Entry>();
  entry->handler = std::move(handler);
  const std::lock_guard guard(lock_);
  return entries_.emplace_back(std::move(entry));
}

std::unique_ptr<Timer> EventLoop::timer(std::function<void()> handler) {
  return std::make_unique<Handle>(*this, add(std::move(handler)));
}

std::unique_ptr<EventLoop::Watch> EventLoop::watch(std::function<void()> handler) {
  return std::make_unique<Handle>(*this, add(std::move(handler)));
}

void EventLoop::change(Entry& entry, std::optional<Time> at, int fd, short events) {
  const std::lock_guard guard(lock_);
  if (entry.at == at && entry.fd == fd && entry.events == events) return;
  entry.at = at;
  entry.fd = fd;
  entry.events = events;
  if (stopped_) return;
  if (thread_.joinable())
    wake_.set();
  else if (at || fd >= 0)
    start();
}

void EventLoop::go_on() {
  const std::lock_guard guard(lock_);
  if (!stopped_) return;
  stopped_ = false;
  entries_.remove_if([](const auto& entry) { return entry->forgotten.load(); });
  if (std::any_of(entries_.begin(), entries_.end(),
                  [](const auto& entry) { return entry->at || entry->fd >= 0; }))
    start();
}

void EventLoop::start() {
  running_ = true;
  thread_ = std::thread([this] {
    run();
    running_ = false;
  });
}

void EventLoop::kick() {
  const std::lock_guard guard(lock_);
  if (thread_.joinable()) ::pthread_kill(thread_.native_handle(), kick_signal());
}

void EventLoop::stop() {
  std::thread thread;
  {
    const std::lock_guard guard(lock_);
    stopped_ = true;
    thread = std::move(thread_);
    wake_.set();
  }
  if (!thread.joinable()) return;
  // A read that somebody else got there before would wait for ever.
  const KickHandler kicks;
  while (running_) {
    ::pthread_kill(thread.native_handle(), kick_signal());
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  thread.join();
}

void EventLoop::run() {
  // A read from a terminal that is not ours is to fail, not to stop us; the signals that end a run
  // are the main thread's.
  sigset_t others;
  sigfillset(&others);
  for (const int own : {kick_signal(), SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS})
    sigdelset(&others, own);
  pthread_sigmask(SIG_BLOCK, &others, nullptr);

  std::vector<pollfd> fds;
  std::vector<Entry*> due;
  std::unique_lock guard(lock_);
  while (!stopped_) {
    fds.assign(1, {.fd = wake_.fd(), .events = POLLIN, .revents = 0});
    std::optional<Time> first;
    for (const auto& entry : entries_) {
      const bool held = !entry->forgotten;
      // A negative fd is left out by poll().
      fds.push_back({.fd = held ? entry->fd : -1, .events = entry->events, .revents = 0});
      if (held && entry->at && (!first || *entry->at < *first)) first = entry->at;
    }
    timespec wait{};
    if (first) {
      const Time left = std::max(*first - clock_.now(), Time::zero());
      wait = {.tv_sec = left.count() / 1'000'000'000, .tv_nsec = left.count() % 1'000'000'000};
    }
    guard.unlock();
    const int ready = ::ppoll(fds.data(), fds.size(), first ? &wait : nullptr, nullptr);
    if (ready > 0 && fds[0].revents != 0) wake_.clear();
    guard.lock();

    due.clear();
    const Time now = clock_.now();
    auto polled = fds.begin() + 1;
    for (const auto& entry : entries_) {
      if (polled == fds.end()) break;  // came meanwhile
      const pollfd& seen = *polled++;
      const bool input =
          ready > 0 && seen.revents != 0 && seen.fd == entry->fd && seen.events == entry->events;
      const bool time = entry->at && *entry->at <= now;
      if (time) entry->at.reset();
      if (input || time) due.push_back(entry.get());
    }
    guard.unlock();
    for (const Entry* entry : due)
      if (!entry->forgotten) entry->handler();
    guard.lock();
  }
}

}  // namespace vmctl
