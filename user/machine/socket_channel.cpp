// SPDX-License-Identifier: GPL-2.0
#include "machine/socket_channel.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <mutex>
#include <utility>

#include "base/bytes.hpp"
#include "base/event.hpp"
#include "base/fd.hpp"

namespace vmctl {
namespace {

// Output's thread and input's may both wait for somebody to connect, and either may take him in;
// the other learns of it: put() by an event, the waiter for input by on_change().
class SocketChannel final : public Channel {
 public:
  SocketChannel(Fd listener, std::string path, Ending& ending)
      : listener_(std::move(listener)), path_(std::move(path)), ending_(ending) {}
  ~SocketChannel() override { ::unlink(path_.c_str()); }

  int listener() const { return listener_.get(); }

  void put(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty() && !ending_.stopping()) {
      const int fd = peer();
      if (!wait_for(fd >= 0 ? fd : listener_.get(), fd >= 0 ? POLLOUT : POLLIN)) continue;
      if (fd < 0) {
        accept();
        continue;
      }
      const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0)
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
      else if (errno != EINTR && errno != EAGAIN)
        hang_up(fd);
    }
  }

  int input_fd() const override {
    const std::lock_guard guard(lock_);
    if (!peer_.valid()) return listener_.get();
    return silent_ ? -1 : peer_.get();
  }
  bool ended() const override { return false; }
  void on_change(std::function<void()> handler) override { on_change_ = std::move(handler); }

  std::size_t take(std::span<std::uint8_t> room) override {
    const int fd = peer();
    if (fd < 0) {
      accept();
      return 0;
    }
    const ssize_t got = ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0 && still_listens(fd)) {
      const std::lock_guard guard(lock_);
      silent_ = true;
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      hang_up(fd);
    }
    return 0;
  }

 private:
  int peer() const {
    const std::lock_guard guard(lock_);
    return peer_.get();
  }

  // Somebody who has said all may still want to hear.
  static bool still_listens(int fd) {
    pollfd peer{.fd = fd, .events = 0, .revents = 0};
    return ::poll(&peer, 1, 0) == 0;
  }

  void accept() {
    {
      const std::lock_guard guard(lock_);
      if (peer_.valid()) return;
      peer_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      silent_ = false;
    }
    tell();
  }

  // The next one may come. The fd goes only when no thread can be using it any more: with the one
  // after it.
  void hang_up(int fd) {
    {
      const std::lock_guard guard(lock_);
      if (peer_.get() != fd) return;
      ::shutdown(fd, SHUT_RDWR);
      former_ = std::exchange(peer_, Fd());
    }
    tell();
  }

  void tell() {
    changed_.set();
    if (on_change_) on_change_();
  }

  // False when something else is to be looked at first.
  bool wait_for(int fd, short events) const {
    std::array<pollfd, 3> fds{{{.fd = fd, .events = events, .revents = 0},
                               {.fd = ending_.stop_fd(), .events = POLLIN, .revents = 0},
                               {.fd = changed_.fd(), .events = POLLIN, .revents = 0}}};
    if (::poll(fds.data(), fds.size(), -1) <= 0) return false;
    if (fds[2].revents != 0) changed_.clear();
    return fds[0].revents != 0 && fds[2].revents == 0;
  }

  Fd listener_;
  Event changed_;
  std::string path_;
  Ending& ending_;
  std::function<void()> on_change_;
  mutable std::mutex lock_;
  Fd peer_;              // guarded by lock_, like the next two; none: nobody is connected
  bool silent_ = false;  // he has said all
  Fd former_;
};

// Whether nobody listens at a socket that is there.
bool is_left_over(const sockaddr_un& address) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe.valid() &&
         ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

int bind_to(const Fd& listener, const sockaddr_un& address) {
  return ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

Result<std::unique_ptr<Channel>> open_socket_channel(const std::string& path, Ending& ending) {
  const auto refuse = [&](std::string why, std::string advice = "") {
    return fail({.status = Status::output,
                 .what = fmt::format("cannot listen at {}", escaped(path)),
                 .why = std::move(why),
                 .advice = std::move(advice)});
  };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return refuse(fmt::format("the path is longer than the {} bytes of a socket's name",
                              sizeof address.sun_path - 1));
  std::memcpy(&address.sun_path[0], path.c_str(), path.size());

  Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener.valid()) return refuse(errno_text(errno));
  int bound = bind_to(listener, address);
  if (bound != 0 && errno == EADDRINUSE && is_left_over(address)) {
    ::unlink(path.c_str());
    bound = bind_to(listener, address);
  }
  if (bound != 0)
    return refuse(errno_text(errno),
                  errno == EADDRINUSE ? "something is there: give another path, or remove it" : "");
  auto channel = std::make_unique<SocketChannel>(std::move(listener), path, ending);
  if (::listen(channel->listener(), 1) != 0) return refuse(errno_text(errno));
  return std::unique_ptr<Channel>(std::move(channel));
}

}  // namespace vmctl
