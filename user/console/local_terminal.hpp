// SPDX-License-Identifier: GPL-2.0
// The terminal that the program was started from, as a console: raw while it is ours, with a
// keyboard, its size, and the signals that have to do with it.
#pragma once

#include <csignal>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "console/keyboard.hpp"
#include "console/raw_terminal.hpp"
#include "console/terminal_size.hpp"

namespace vmctl {

// While it lives, SIGTSTP, SIGCONT and SIGWINCH come through signal_fd(); to be made before the
// threads that would else get them.
class LocalTerminal {
 public:
  // Nothing: standard input is no terminal. Throws std::system_error.
  static std::unique_ptr<LocalTerminal> open();
  LocalTerminal(const LocalTerminal&) = delete;
  LocalTerminal& operator=(const LocalTerminal&) = delete;
  ~LocalTerminal();

  // -1: it is closed, or others have it in the foreground.
  int input_fd() const;
  int signal_fd() const { return signals_.get(); }
  // Nothing more will come.
  bool closed() const { return closed_; }
  // Others have it; to be looked after now and then by look_again().
  bool away() const { return away_; }
  void look_again();

  // When input_fd() is readable: what was typed.
  std::vector<Keyboard::Action> read();
  // When signal_fd() is: stops the process on SIGTSTP, takes the terminal again on SIGCONT. True:
  // the size may have changed.
  bool take_signals();

  std::optional<TerminalSize> size() const;
  Keyboard& keyboard() { return keyboard_; }
  // On standard error: standard output is the guest's alone.
  static void show(std::string_view text);

 private:
  LocalTerminal();

  sigset_t mask_before_{};
  Fd signals_;
  RawTerminal raw_;
  Keyboard keyboard_;
  bool closed_ = false;
  bool away_ = false;
};

}  // namespace vmctl
