// SPDX-License-Identifier: GPL-2.0
#include "console/console.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/overloaded.hpp"

namespace vmctl {
namespace {

// More than anybody types ahead; a pasted text that is longer waits in the terminal.
constexpr std::size_t kInputMax = 64 << 10;
constexpr Time kLookAgain = std::chrono::seconds(1);
constexpr char kCtrlC = 0x03;

bool readable(int fd) {
  pollfd input{.fd = fd, .events = POLLIN, .revents = 0};
  return fd >= 0 && ::poll(&input, 1, 0) > 0;
}

}  // namespace

Result<std::unique_ptr<Console>> Console::open(const ChannelSpec& spec, Ending& ending) {
  auto channel = TRY(Channel::open(spec, ending));
  return std::unique_ptr<Console>(new Console(std::move(channel), spec.kind));
}

Console::~Console() = default;

void Console::run_on(EventLoop& loop) {
  loop_ = &loop;
  channel_->run_on(loop);
}

void Console::on_change(std::function<void()> handler) {
  changed_ = handler;
  channel_->on_change(std::move(handler));
}

Result<> Console::listen(const std::string& path) {
  if (attached_) {
    attached_->move_to(path);
    return {};
  }
  attached_ =
      TRY(AttachServer::open(path, *loop_,
                             {.has_room = [this] { return has_room(); },
                              .type = [this](std::string_view bytes) { type(bytes); },
                              .answer =
                                  [this](std::string_view line) {
                                    return answer_monitor(line, *machine_, "through vmctl attach");
                                  },
                              .quit = [this] { machine_->quit("through vmctl attach (Ctrl-A x)"); },
                              .resize = [this](TerminalSize size) { size_.set(size); }}));
  return {};
}

void Console::start(MachineControl& machine) {
  machine_ = &machine;
  if (std::exchange(started_, true)) return;
  if (attached_) attached_->start();
  if (kind_ != ChannelSpec::Kind::stdio) return;
  terminal_ = LocalTerminal::open();
  if (!terminal_) return;
  if (const auto size = terminal_->size()) size_.set(*size);
  keys_ = loop_->watch([this] { read_keys(); });
  signals_ = loop_->watch([this] {
    if (terminal_->take_signals())
      if (const auto size = terminal_->size()) size_.set(*size);
    watch_terminal();
  });
  return_ = loop_->timer([this] {
    terminal_->look_again();
    watch_terminal();
  });
  watch_terminal();
  signals_->set(terminal_->signal_fd());
}

std::string Console::stop(std::string_view end) {
  std::string left = channel_->finish();
  if (attached_) attached_->finish(end);
  terminal_.reset();
  return left;
}

void Console::put(std::span<const std::uint8_t> bytes) {
  if (!spoken()) spoken_.store(true, std::memory_order_relaxed);
  if (attached_) attached_->record(bytes);
  channel_->put(bytes);
}

int Console::input_fd() const {
  return terminal_ ? -1 : channel_->input_fd();
}

bool Console::ended() const {
  if (attached_ || waiting_ > 0) return false;
  return terminal_ ? closed_.load() : channel_->ended();
}

std::size_t Console::take(std::span<std::uint8_t> room) {
  if (input_.empty())
    return !terminal_ && readable(channel_->input_fd()) ? channel_->take(room) : 0;
  const bool full = !has_room();
  const std::size_t count = std::min(room.size(), input_.size());
  std::copy_n(input_.begin(), count, room.begin());
  input_.erase(0, count);
  waiting_ = input_.size();
  if (full && has_room()) {
    if (attached_) attached_->on_room();
    if (terminal_) watch_terminal();
  }
  return count;
}

bool Console::has_room() const {
  return input_.size() + kFrameMax <= kInputMax;
}

void Console::type(std::string_view bytes) {
  input_ += bytes;
  waiting_ = input_.size();
  if (changed_) changed_();
}

void Console::watch_terminal() {
  if (terminal_->away()) return_->set(loop_->now() + kLookAgain);
  if (terminal_->closed() && !closed_.exchange(true) && changed_) changed_();
  keys_->set(has_room() ? terminal_->input_fd() : -1);
}

void Console::read_keys() {
  carry_out(terminal_->read());
  watch_terminal();
}

void Console::carry_out(const std::vector<Keyboard::Action>& actions) {
  for (const Keyboard::Action& action : actions)
    std::visit(
        Overloaded{
            [&](const Keyboard::Type& typed) {
              // Into the void it would go, and with it the one way out that everybody knows.
              if (typed.bytes.find(kCtrlC) != std::string::npos && listening_ && !listening_())
                machine_->quit("by Ctrl-C, as the guest does not listen to its serial port");
              else
                type(typed.bytes);
            },
            [](const Keyboard::Show& text) { LocalTerminal::show(text.text); },
            [&](const Keyboard::Line& line) {
              const MonitorAnswer answer =
                  answer_monitor(line.text, *machine_, "from the monitor (quit)");
              carry_out(terminal_->keyboard().answered(answer.text, answer.leave));
            },
            [&](const Keyboard::Quit&) { machine_->quit("from the console (Ctrl-A x)"); },
            [](const Keyboard::Detach&) {
              LocalTerminal::show(
                  "\r\nvmctl: this is the machine's own terminal, nothing to detach from: Ctrl-A x "
                  "ends it\r\n");
            },
        },
        action);
}

}  // namespace vmctl
