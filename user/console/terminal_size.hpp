// SPDX-License-Identifier: GPL-2.0
// How large the terminal is that a console is seen on.
#pragma once

#include <sys/ioctl.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace vmctl {

struct TerminalSize {
  std::uint16_t columns = 0;
  std::uint16_t rows = 0;
  bool operator==(const TerminalSize&) const = default;
};

// Nothing for what is no terminal, or does not know.
inline std::optional<TerminalSize> terminal_size(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    return std::nullopt;
  return TerminalSize{.columns = size.ws_col, .rows = size.ws_row};
}

// The size now, for a device that tells the guest (virtio 1.2, 5.3.4): the one said last. A serial
// port has no way to tell it.
class TerminalSizeSource {
 public:
  // Nothing as long as no terminal has been seen.
  std::optional<TerminalSize> now() const {
    const std::lock_guard guard(lock_);
    return size_;
  }
  // Called after each change, on the event loop's thread, and at once if the size is known. To be
  // set before any thread runs.
  void on_change(std::function<void(TerminalSize)> handler) {
    handler_ = std::move(handler);
    if (const auto size = now()) handler_(*size);
  }
  void set(TerminalSize size) {
    {
      const std::lock_guard guard(lock_);
      if (size_ == size) return;
      size_ = size;
    }
    if (handler_) handler_(size);
  }

 private:
  mutable std::mutex lock_;
  std::optional<TerminalSize> size_;  // guarded by lock_
  std::function<void(TerminalSize)> handler_;
};

}  // namespace vmctl
