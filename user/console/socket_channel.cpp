// SPDX-License-Identifier: GPL-2.0
#include "console/socket_channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <mutex>
#include <utility>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "console/backlog.hpp"
#include "console/unix_socket.hpp"

namespace vmctl {
namespace {

// Who connects is taken in by take() or by the loop's own watch, both on the loop's thread; put()
// may find that he is gone, in any.
class SocketChannel final : public Channel {
 public:
  SocketChannel(Fd listener, std::string path, const Ending& ending)
      : listener_(std::move(listener)), path_(std::move(path)), backlog_(ending) {}
  ~SocketChannel() override { ::unlink(path_.c_str()); }

  void run_on(EventLoop& loop) override {
    room_ = loop.watch([this] {
      const int fd = peer();
      if (fd < 0)
        accept();
      else if (backlog_.flush() != 0)
        hang_up(fd);
      wait_for_room();
    });
  }

  void put(std::span<const std::uint8_t> bytes) override {
    const int fd = peer();
    if (backlog_.put(bytes) != 0) hang_up(fd);
    wait_for_room();
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

  std::string finish() override {
    if (peer() < 0) accept();  // who came for the last words
    backlog_.finish();
    return unread(backlog_.kept(), backlog_.lost(), escaped(path_));
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
    int fd = -1;
    {
      const std::lock_guard guard(lock_);
      if (peer_.valid()) return;
      peer_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      silent_ = false;
      fd = peer_.get();
    }
    if (fd < 0) return;
    backlog_.set_reader(fd);
    if (backlog_.flush() != 0) hang_up(fd);
    tell();
  }

  // The next one may come. The fd goes only when no thread can be using it any more: with the one
  // after it.
  void hang_up(int fd) {
    {
      const std::lock_guard guard(lock_);
      if (fd < 0 || peer_.get() != fd) return;
      backlog_.set_reader(-1);
      ::shutdown(fd, SHUT_RDWR);
      former_ = std::exchange(peer_, Fd());
    }
    tell();
  }

  void tell() {
    wait_for_room();
    if (on_change_) on_change_();
  }

  // For room if somebody is connected, else for somebody; as long as there is output for him.
  void wait_for_room() {
    if (!room_) return;
    if (!backlog_.pending())
      room_->set(-1);
    else if (const int fd = peer(); fd >= 0)
      room_->set_for_room(fd);
    else
      room_->set(listener_.get());
  }

  Fd listener_;
  std::string path_;
  Backlog backlog_;
  std::unique_ptr<EventLoop::Watch> room_;
  std::function<void()> on_change_;
  mutable std::mutex lock_;
  Fd peer_;              // guarded by lock_, like the next two; none: nobody is connected
  bool silent_ = false;  // he has said all
  Fd former_;
};

}  // namespace

Result<std::unique_ptr<Channel>> open_socket_channel(const std::string& path, Ending& ending) {
  return std::unique_ptr<Channel>(
      std::make_unique<SocketChannel>(TRY(listen_at(path)), path, ending));
}

}  // namespace vmctl
