// SPDX-License-Identifier: GPL-2.0
#include "kernel/kmsg.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/terminal.hpp"

namespace vmctl {
namespace {

constexpr const char* kPath = "/dev/kmsg";
constexpr std::size_t kRecordMax = 8192;  // PRINTK_MESSAGE_MAX is 2048

// A number and the comma behind it.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop == end || *stop != ',') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()) + 1);
  return value;
}

Error explain_kmsg(int error) {
  Error explained{.status = Status::unavailable,
                  .what = "cannot read the kernel log",
                  .where = kPath,
                  .why = errno_text(error)};
  if (error == EPERM || error == EACCES) {
    explained.status = Status::refused;
    explained.advice =
        "run as root, or with CAP_SYSLOG; sysctl kernel.dmesg_restrict=0 opens it to all";
  }
  return explained;
}

}  // namespace

std::optional<KmsgRecord> parse_kmsg(std::string_view record) {
  const auto semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  std::string_view head = record.substr(0, semicolon);
  const auto priority = take_number(head);
  const auto sequence = take_number(head);
  const auto microseconds = take_number(head);
  if (!priority || !sequence || !microseconds) return std::nullopt;
  std::string_view message = record.substr(semicolon + 1);
  message = message.substr(0, message.find('\n'));
  return KmsgRecord{.sequence = *sequence,
                    .microseconds = *microseconds,
                    .message = for_terminal(message)};  // the kernel escapes already
}

std::string format_kmsg(const KmsgRecord& record) {
  return fmt::format("[{:5}.{:06}] {}", record.microseconds / 1'000'000,
                     record.microseconds % 1'000'000, record.message);
}

Result<Kmsg> Kmsg::open() {
  Fd fd(::open(kPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid()) return fail(explain_kmsg(errno));
  return Kmsg(std::move(fd));
}

Result<std::optional<KmsgRecord>> Kmsg::next(Wait wait) {
  std::array<char, kRecordMax> buffer{};
  while (true) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got > 0) {
      if (auto record = parse_kmsg({buffer.data(), static_cast<std::size_t>(got)})) return record;
      continue;
    }
    if (got == 0) return std::optional<KmsgRecord>();
    if (errno == EPIPE) {
      ++lost_;  // overwritten; the next read goes on with the oldest there is
    } else if (errno == EAGAIN) {
      if (wait == Wait::no) return std::optional<KmsgRecord>();
      pollfd poll_fd{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      ::poll(&poll_fd, 1, -1);
    } else if (errno != EINTR) {
      return fail(explain_kmsg(errno));
    }
  }
}

unsigned Kmsg::take_lost() {
  return std::exchange(lost_, 0U);
}

}  // namespace vmctl
