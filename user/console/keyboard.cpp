// SPDX-License-Identifier: GPL-2.0
#include "console/keyboard.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace vmctl {
namespace {

constexpr std::uint8_t kCtrlA = 0x01;
constexpr std::uint8_t kCtrlC = 0x03;
constexpr std::uint8_t kCtrlD = 0x04;
constexpr std::uint8_t kBackspace = 0x08;
constexpr std::uint8_t kCtrlU = 0x15;
constexpr std::uint8_t kDelete = 0x7f;

constexpr std::size_t kLineMax = 256;
constexpr std::size_t kKeptMax = 4096;

constexpr std::string_view kPrompt = "(vmctl) ";
constexpr std::string_view kHelp =
    "\r\nCtrl-A x  end the machine\r\n"
    "Ctrl-A c  the monitor, and back\r\n"
    "Ctrl-A d  detach, where this is vmctl attach\r\n"
    "Ctrl-A a  send Ctrl-A (or Ctrl-A twice)\r\n"
    "Ctrl-A h  this\r\n";

}  // namespace

std::vector<Keyboard::Action> Keyboard::feed(std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) take(byte);
  return std::exchange(actions_, {});
}

std::vector<Keyboard::Action> Keyboard::answered(std::string_view text, bool leave) {
  if (!awaiting_) return {};
  awaiting_ = false;
  if (!text.empty()) show(text);
  if (mode_ == Mode::monitor) leave ? leave_monitor() : show(kPrompt);
  work_off();
  return std::exchange(actions_, {});
}

// What was typed meanwhile, up to the next line.
void Keyboard::work_off() {
  const std::string kept = std::exchange(kept_, "");
  for (const char c : kept) take(static_cast<std::uint8_t>(c));
}

void Keyboard::take(std::uint8_t byte) {
  // Escapes are heard also while the monitor has not answered.
  if (escaped_) {
    escaped_ = false;
    escape(byte);
  } else if (byte == kCtrlA) {
    escaped_ = true;
  } else if (mode_ == Mode::console) {
    type(byte);
  } else if (!awaiting_) {
    edit(byte);
  } else if (kept_.size() < kKeptMax) {
    kept_ += static_cast<char>(byte);
  }
}

void Keyboard::escape(std::uint8_t byte) {
  switch (byte) {
    case 'x':
    case 'X':
      actions_.emplace_back(Quit{});
      break;
    case 'd':
    case 'D':
      actions_.emplace_back(Detach{});
      break;
    case 'c':
    case 'C':
      kept_.clear();  // that was for a monitor that is left
      mode_ == Mode::console ? enter_monitor() : leave_monitor();
      break;
    case 'a':
    case 'A':
    case kCtrlA:
      if (mode_ == Mode::console) type(kCtrlA);
      break;
    case 'h':
    case 'H':
    case '?':
      show(kHelp);
      if (mode_ == Mode::monitor) show(std::string(kPrompt) + line_);
      break;
    default:
      break;  // nothing, and nothing for the guest either
  }
}

void Keyboard::edit(std::uint8_t byte) {
  switch (byte) {
    case '\r':
    case '\n':
      end_line();
      break;
    case kBackspace:
    case kDelete:
      if (line_.empty()) break;
      line_.pop_back();
      show("\b \b");
      break;
    case kCtrlU:
      for (; !line_.empty(); line_.pop_back()) show("\b \b");
      break;
    case kCtrlC:
      line_.clear();
      show("^C\r\n");
      show(kPrompt);
      break;
    case kCtrlD:
      if (line_.empty()) leave_monitor();
      break;
    default:
      if (byte < 0x20 || byte > 0x7e || line_.size() >= kLineMax) break;
      line_ += static_cast<char>(byte);
      show({&line_.back(), 1});
  }
}

void Keyboard::end_line() {
  if (std::ranges::all_of(line_, [](char c) { return c == ' '; })) {
    leave_monitor();
    return;
  }
  show("\r\n");
  awaiting_ = true;
  actions_.emplace_back(Line{std::exchange(line_, "")});
}

void Keyboard::enter_monitor() {
  mode_ = Mode::monitor;
  show("\r\n");
  // With an answer still to come, the prompt comes after that.
  if (!awaiting_) show(kPrompt);
}

void Keyboard::leave_monitor() {
  mode_ = Mode::console;
  line_.clear();
  show("\r\n");
}

void Keyboard::type(std::uint8_t byte) {
  if (actions_.empty() || !std::holds_alternative<Type>(actions_.back()))
    actions_.emplace_back(Type{});
  std::get<Type>(actions_.back()).bytes += static_cast<char>(byte);
}

void Keyboard::show(std::string_view text) {
  if (actions_.empty() || !std::holds_alternative<Show>(actions_.back()))
    actions_.emplace_back(Show{});
  std::get<Show>(actions_.back()).text += text;
}

}  // namespace vmctl
