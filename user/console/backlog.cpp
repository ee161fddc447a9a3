// SPDX-License-Identifier: GPL-2.0
#include "console/backlog.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vmctl {
namespace {

constexpr int kPatienceMs = 1000;

// A reader who is gone is an error, never a signal.
ssize_t write_quietly(int fd, std::span<const std::uint8_t> bytes) {
  const ssize_t sent = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 && errno == ENOTSOCK ? ::write(fd, bytes.data(), bytes.size()) : sent;
}

}  // namespace

void Backlog::set_reader(int fd) {
  const std::lock_guard guard(lock_);
  fd_ = fd;
  full_ = reads_ = false;
}

int Backlog::write_out() {
  while (fd_ >= 0) {
    const auto bytes = reader_.next(ring_);
    if (bytes.empty()) {
      full_ = false;
      break;
    }
    const ssize_t written = write_quietly(fd_, bytes);
    if (written > 0) {
      reader_.took(static_cast<std::size_t>(written));
      if (full_) reads_ = true;
    } else if (written == 0 || errno == EAGAIN) {
      full_ = true;
      break;
    } else if (errno != EINTR) {
      fd_ = -1;
      return errno;
    }
  }
  return 0;
}

// Until he has made it, does not read, or the machine stops.
void Backlog::wait_for_room(std::unique_lock<std::mutex>& guard, std::size_t room, int& error) {
  while (fd_ >= 0 && reads_ && reader_.behind(ring_) + room > ring_.capacity()) {
    std::array<pollfd, 2> fds{{{.fd = fd_, .events = POLLOUT, .revents = 0},
                               {.fd = ending_.stop_fd(), .events = POLLIN, .revents = 0}}};
    guard.unlock();
    const int ready = ::poll(fds.data(), fds.size(), kPatienceMs);
    guard.lock();
    if (ready == 0) reads_ = false;
    if (fds[0].revents != 0) error = write_out();
    if (fds[0].revents == 0 && fds[1].revents != 0) return;
  }
}

int Backlog::put(std::span<const std::uint8_t> bytes) {
  int error = 0;
  std::unique_lock guard(lock_);
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), ring_.capacity()));
    bytes = bytes.subspan(piece.size());
    wait_for_room(guard, piece.size(), error);
    ring_.write(piece);
    if (fd_ >= 0 && !full_) error = write_out();
  }
  return error;
}

int Backlog::flush() {
  const std::lock_guard guard(lock_);
  return write_out();
}

void Backlog::finish() {
  std::unique_lock guard(lock_);
  static_cast<void>(write_out());
  while (fd_ >= 0 && reads_ && reader_.behind(ring_) > 0) {
    pollfd room{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&room, 1, kPatienceMs) <= 0) return;
    static_cast<void>(write_out());
  }
}

bool Backlog::pending() const {
  const std::lock_guard guard(lock_);
  return reader_.behind(ring_) > 0;
}

std::uint64_t Backlog::kept() const {
  const std::lock_guard guard(lock_);
  return std::min<std::uint64_t>(reader_.behind(ring_), ring_.capacity());
}

std::uint64_t Backlog::lost() const {
  const std::lock_guard guard(lock_);
  const std::uint64_t behind = reader_.behind(ring_);
  return reader_.lost() + behind - std::min(behind, ring_.end() - ring_.begin());
}

}  // namespace vmctl
