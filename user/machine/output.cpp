// SPDX-License-Identifier: GPL-2.0
#include "machine/output.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>

#include "base/result.hpp"

namespace vmctl {

// True when a write of PIPE_BUF bytes will not block. False when it would and the machine stops;
// what still can be written then is: the last words of a guest.
bool Output::wait_writable() const {
  std::array<pollfd, 2> fds{{{.fd = fd_, .events = POLLOUT, .revents = 0},
                             {.fd = ending_.stop_fd(), .events = POLLIN, .revents = 0}}};
  while (true) {
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return true;  // let write() tell
    if (fds[0].revents != 0) return true;
    if (fds[1].revents != 0) return false;
  }
}

int Output::write(std::span<const std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    if (!wait_writable()) return ECANCELED;
    const std::size_t chunk = std::min<std::size_t>(bytes.size(), PIPE_BUF);
    const ssize_t written = ::write(fd_, bytes.data(), chunk);
    if (written >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    else if (errno != EINTR && errno != EAGAIN)
      return errno;
  }
  return 0;
}

void report_output(int error, std::string_view name, Ending& ending) {
  if (error == 0 || error == ECANCELED) return;
  if (error == EPIPE)
    ending.end(
        {.kind = EndKind::output,
         .status = 128 + SIGPIPE,
         .reason = fmt::format("{} was closed by its reader, and the guest still prints", name),
         .details = ""});
  else
    ending.end({.kind = EndKind::output,
                .status = static_cast<int>(Status::output),
                .reason = fmt::format("cannot write the guest's output to {}: {}", name,
                                      errno_text(error)),
                .details = ""});
}

}  // namespace vmctl
