// SPDX-License-Identifier: GPL-2.0
#include "console/output.hpp"

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

bool Output::stops() const {
  pollfd out{.fd = fd_, .events = POLLOUT, .revents = 0};
  // What still can be written is: the last words of a guest.
  return ending_.stopping() && ::poll(&out, 1, 0) == 0;
}

void Output::wait() const {
  std::array<pollfd, 2> fds{{{.fd = fd_, .events = POLLOUT, .revents = 0},
                             {.fd = ending_.stop_fd(), .events = POLLIN, .revents = 0}}};
  ::poll(fds.data(), fds.size(), -1);
}

int Output::write(std::span<const std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    if (stops()) return ECANCELED;
    const std::size_t chunk = std::min<std::size_t>(bytes.size(), PIPE_BUF);
    const ssize_t written = ::write(fd_, bytes.data(), chunk);
    if (written >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    else if (errno == EAGAIN)
      wait();
    else if (errno != EINTR)
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
