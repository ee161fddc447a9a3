// SPDX-License-Identifier: GPL-2.0
// A serial line's far end as people use it: a channel, and beside it the terminal's keys with their
// escapes, a monitor, and those who attach.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "console/attach_server.hpp"
#include "console/channel.hpp"
#include "console/keyboard.hpp"
#include "console/local_terminal.hpp"
#include "console/machine_control.hpp"
#include "console/terminal_size.hpp"

namespace vmctl {

class Console final : public Channel {
 public:
  static Result<std::unique_ptr<Console>> open(const ChannelSpec& spec, Ending& ending);
  ~Console() override;

  // Lets those attach who connect to a socket at `path`; who is attached stays so when it moves.
  // After run_on(), before start().
  Result<> listen(const std::string& path);

  // From the first time to stop() the terminal is raw, if the channel is standard input and that is
  // one.
  // After run_on(), in the main thread, before any other thread is started but the loop's.
  void start(MachineControl& machine);
  // When the loop has been stopped. `end`: how the machine ended, for those attached. Returns what
  // there is to say of output that nobody read, or nothing.
  std::string stop(std::string_view end);

  // Whether nothing is at the other end but who attaches.
  bool is_none() const { return kind_ == ChannelSpec::Kind::none; }
  // Whether the guest has said anything.
  bool spoken() const { return spoken_.load(std::memory_order_relaxed); }
  TerminalSizeSource& size() { return size_; }

  void put(std::span<const std::uint8_t> bytes) override;
  void run_on(EventLoop& loop) override;
  int input_fd() const override;
  bool has_input() const override { return waiting_ > 0; }
  bool ended() const override;
  void on_change(std::function<void()> handler) override;
  void ask_listening(std::function<bool()> ask) override { listening_ = std::move(ask); }
  std::size_t take(std::span<std::uint8_t> room) override;
  Result<> begin() override { return channel_->begin(); }
  std::string finish() override { return channel_->finish(); }
  std::optional<FileId> file() const override { return channel_->file(); }
  std::string place() const override { return channel_->place(); }

 private:
  Console(std::unique_ptr<Channel> channel, ChannelSpec::Kind kind)
      : channel_(std::move(channel)), kind_(kind) {}

  // All that follows: on the loop's thread.
  bool has_room() const;
  void type(std::string_view bytes);
  void read_keys();
  void carry_out(const std::vector<Keyboard::Action>& actions);
  void watch_terminal();

  std::unique_ptr<Channel> channel_;
  ChannelSpec::Kind kind_;
  EventLoop* loop_ = nullptr;
  MachineControl* machine_ = nullptr;
  bool started_ = false;
  std::function<void()> changed_;
  std::function<bool()> listening_;
  std::atomic<bool> spoken_ = false;
  TerminalSizeSource size_;

  std::string input_;                     // typed, and not yet taken
  std::atomic<std::size_t> waiting_ = 0;  // bytes of it

  std::unique_ptr<AttachServer> attached_;
  std::unique_ptr<LocalTerminal> terminal_;
  std::atomic<bool> closed_ = false;  // the terminal is
  std::unique_ptr<EventLoop::Watch> keys_;
  std::unique_ptr<EventLoop::Watch> signals_;
  std::unique_ptr<Timer> return_;  // looks whether the terminal is ours again
};

}  // namespace vmctl
