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
#include <mutex>
#include <utility>

#include "base/bytes.hpp"
#include "base/fd.hpp"

namespace vmctl {
namespace {

class SocketChannel final : public Channel {
 public:
  SocketChannel(Fd listener, std::string path, Ending& ending)
      : listener_(std::move(listener)), path_(std::move(path)), ending_(ending) {}
  ~SocketChannel() override { ::unlink(path_.c_str()); }

  void put(std::span<const std::uint8_t> bytes) override {
    while (!bytes.empty() && !ending_.stopping()) {
      const int fd = peer();
      if (!wait_for(fd >= 0 ? fd : listener_.get(), fd >= 0 ? POLLOUT : POLLIN)) return;
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
    const int fd = peer();
    return fd >= 0 ? fd : listener_.get();
  }

  std::size_t take(std::span<std::uint8_t> room) override {
    const int fd = peer();
    if (fd < 0) {
      accept();
      return 0;
    }
    const ssize_t got = ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0 || (errno != EINTR && errno != EAGAIN)) hang_up(fd);
    return 0;
  }

 private:
  int peer() const {
    const std::lock_guard guard(lock_);
    return peer_.get();
  }

  void accept() {
    const std::lock_guard guard(lock_);
    if (!peer_.valid()) peer_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  }

  // The next one may come. The fd goes only when no thread can be using it any more: with the one
  // after it.
  void hang_up(int fd) {
    const std::lock_guard guard(lock_);
    if (peer_.get() != fd) return;
    ::shutdown(fd, SHUT_RDWR);
    former_ = std::exchange(peer_, Fd());
  }

  bool wait_for(int fd, short events) const {
    std::array<pollfd, 2> fds{{{.fd = fd, .events = events, .revents = 0},
                               {.fd = ending_.stop_fd(), .events = POLLIN, .revents = 0}}};
    while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR && !ending_.stopping()) {
    }
    return fds[0].revents != 0;
  }

  Fd listener_;
  std::string path_;
  Ending& ending_;
  mutable std::mutex lock_;
  Fd peer_;    // guarded by lock_; none: nobody is connected
  Fd former_;  // likewise
};

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
  if (::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return refuse(errno_text(errno),
                  errno == EADDRINUSE ? "remove it if nothing listens there any more" : "");
  auto channel = std::make_unique<SocketChannel>(std::move(listener), path, ending);
  if (::listen(channel->input_fd(), 1) != 0) return refuse(errno_text(errno));
  return std::unique_ptr<Channel>(std::move(channel));
}

}  // namespace vmctl
