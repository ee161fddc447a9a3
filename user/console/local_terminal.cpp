// SPDX-License-Identifier: GPL-2.0
#include "console/local_terminal.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace vmctl {
namespace {

sigset_t own_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTSTP, SIGCONT, SIGWINCH}) sigaddset(&set, number);
  return set;
}

Fd open_signals() {
  const sigset_t set = own_signals();
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) throw std::system_error(errno, std::generic_category(), "signalfd");
  return fd;
}

}  // namespace

std::unique_ptr<LocalTerminal> LocalTerminal::open() {
  if (::isatty(STDIN_FILENO) == 0) return nullptr;
  return std::unique_ptr<LocalTerminal>(new LocalTerminal());
}

LocalTerminal::LocalTerminal() : signals_(open_signals()), raw_(STDIN_FILENO) {
  const sigset_t set = own_signals();
  pthread_sigmask(SIG_BLOCK, &set, &mask_before_);
  away_ = !raw_.enter();
}

LocalTerminal::~LocalTerminal() {
  raw_.leave();
  pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
}

int LocalTerminal::input_fd() const {
  return closed_ || away_ ? -1 : STDIN_FILENO;
}

void LocalTerminal::look_again() {
  away_ = !raw_.enter();
}

std::vector<Keyboard::Action> LocalTerminal::read() {
  std::array<std::uint8_t, 256> keys{};
  const ssize_t got = ::read(STDIN_FILENO, keys.data(), keys.size());
  if (got > 0) return keyboard_.feed(std::span(keys).first(static_cast<std::size_t>(got)));
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
  // EIO is said both of a terminal that others have and of one that is gone.
  if (got < 0 && ::tcgetpgrp(STDIN_FILENO) > 0 && !RawTerminal::is_ours(STDIN_FILENO)) {
    raw_.leave();
    away_ = true;
  } else {
    closed_ = true;
  }
  return {};
}

bool LocalTerminal::take_signals() {
  bool resized = false;
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGTSTP:
        raw_.leave();
        // This thread may go on for a moment until it stops with the others.
        ::kill(::getpid(), SIGSTOP);
        break;
      case SIGCONT:
        // Whoever stopped us by SIGSTOP left the terminal to the shell, which changed it.
        raw_.leave();
        look_again();
        break;
      default:
        break;
    }
    resized = true;
  }
  return resized;
}

// NOLINTNEXTLINE(readability-convert-member-functions-to-static): of this one
std::optional<TerminalSize> LocalTerminal::size() const {
  return terminal_size(STDIN_FILENO);
}

void LocalTerminal::show(std::string_view text) {
  static_cast<void>(write_all(STDERR_FILENO, text));
}

}  // namespace vmctl
