// SPDX-License-Identifier: GPL-2.0
#include "console/unix_socket.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr int kWaiting = 8;  // who connect at once

Result<sockaddr_un> address_of(const std::string& path, Status status, std::string_view verb) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return fail({.status = status,
                 .what = fmt::format("cannot {} {}", verb, escaped(path)),
                 .why = fmt::format("the path is longer than the {} bytes of a socket's name",
                                    sizeof address.sun_path - 1)});
  std::memcpy(&address.sun_path[0], path.c_str(), path.size());
  return address;
}

int connect_socket(const Fd& fd, const sockaddr_un& address) {
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

// Whether nobody listens at a socket that is there.
bool is_left_over(const sockaddr_un& address) {
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe.valid() && connect_socket(probe, address) != 0 && errno == ECONNREFUSED;
}

int bind_to(const Fd& listener, const sockaddr_un& address) {
  return ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

}  // namespace

Result<Fd> listen_at(const std::string& path) {
  const auto refuse = [&](std::string why, std::string advice = "") {
    return fail({.status = Status::output,
                 .what = fmt::format("cannot listen at {}", escaped(path)),
                 .why = std::move(why),
                 .advice = std::move(advice)});
  };
  const sockaddr_un address = TRY(address_of(path, Status::output, "listen at"));
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
  if (::listen(listener.get(), kWaiting) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    return refuse(errno_text(error));
  }
  return listener;
}

Result<Fd> connect_to(const std::string& path) {
  const sockaddr_un address = TRY(address_of(path, Status::no_input, "connect to"));
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid() || connect_socket(fd, address) != 0)
    return fail({.status = Status::no_input,
                 .what = fmt::format("cannot connect to {}", escaped(path)),
                 .why = errno_text(errno)});
  return fd;
}

}  // namespace vmctl
