// SPDX-License-Identifier: GPL-2.0
#include "console/raw_terminal.hpp"

#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cerrno>

namespace vmctl {
namespace {

// For the handler, which may run at any moment. Written while `raw` is false.
struct State {
  int fd = -1;
  termios saved{};
  std::array<struct sigaction, NSIG> before{};
  std::atomic<bool> raw = false;
};
State state;
static_assert(std::atomic<bool>::is_always_lock_free);

// Async-signal-safe, all of it (signal-safety(7)).
void restore() {
  if (!state.raw.exchange(false)) return;
  const int error = errno;
  if (RawTerminal::is_ours(state.fd)) ::tcsetattr(state.fd, TCSANOW, &state.saved);
  errno = error;
}

}  // namespace

void RawTerminal::on_fatal(int number) {
  restore();
  // What would have been done without us: when this returns, or when the instruction that faulted
  // does so again.
  ::sigaction(number, &state.before[static_cast<std::size_t>(number)], nullptr);
  ::raise(number);
}

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  assert(state.fd < 0);
  state.fd = fd;
  struct sigaction action {};
  action.sa_handler = on_fatal;
  for (const int number : kFatal) {
    auto& before = state.before[static_cast<std::size_t>(number)];
    ::sigaction(number, nullptr, &before);
    // Who has asked for it to be ignored, or handles it himself, is not disturbed.
    if (before.sa_handler == SIG_IGN) continue;
    ::sigaction(number, &action, nullptr);
  }
}

RawTerminal::~RawTerminal() {
  leave();
  for (const int number : kFatal)
    ::sigaction(number, &state.before[static_cast<std::size_t>(number)], nullptr);
  state.fd = -1;
}

bool RawTerminal::is_ours(int fd) {
  // Without a controlling terminal there is no job control, and whoever can open it may.
  const pid_t foreground = ::tcgetpgrp(fd);
  return foreground < 0 || foreground == ::getpgrp();
}

bool RawTerminal::enter() const {
  if (!is_ours(fd_)) return false;
  // Anew each time: a shell that had stopped us may have changed it meanwhile.
  if (state.raw || ::tcgetattr(fd_, &state.saved) != 0) return true;
  termios raw = state.saved;
  // Keys come one by one and as they are; what is printed still has its lines ended by the
  // terminal.
  raw.c_iflag &=
      ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  state.raw = true;
  ::tcsetattr(fd_, TCSANOW, &raw);
  return true;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): of this one
void RawTerminal::leave() const {
  restore();
}

}  // namespace vmctl
