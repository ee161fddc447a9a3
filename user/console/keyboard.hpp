// SPDX-License-Identifier: GPL-2.0
// What somebody types at a console: bytes for the guest, escapes that begin with Ctrl-A, and lines
// for the monitor.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vmctl {

class Keyboard {
 public:
  // For the guest.
  struct Type {
    std::string bytes;
  };
  // For whoever types: an echo, the help, a prompt.
  struct Show {
    std::string text;
  };
  // A line for the monitor, which waits for an answered() until it takes another.
  struct Line {
    std::string text;
  };
  struct Quit {};
  struct Detach {};
  using Action = std::variant<Type, Show, Line, Quit, Detach>;

  // What was typed, in order. Lines that come before the one before them was answered are kept.
  std::vector<Action> feed(std::span<const std::uint8_t> bytes);
  // The monitor has answered with `text`; or is to be left.
  std::vector<Action> answered(std::string_view text, bool leave);

  bool in_monitor() const { return mode_ == Mode::monitor; }

 private:
  enum class Mode : std::uint8_t { console, monitor };

  void take(std::uint8_t byte);
  void escape(std::uint8_t byte);
  void edit(std::uint8_t byte);
  void end_line();
  void enter_monitor();
  void leave_monitor();
  void type(std::uint8_t byte);
  void show(std::string_view text);
  void work_off();

  Mode mode_ = Mode::console;
  bool escaped_ = false;   // Ctrl-A came
  bool awaiting_ = false;  // the monitor's answer
  std::string line_;
  std::string kept_;  // typed while the answer is awaited
  std::vector<Action> actions_;
};

}  // namespace vmctl
