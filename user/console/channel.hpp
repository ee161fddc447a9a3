// SPDX-License-Identifier: GPL-2.0
// The far end of a serial line: where its output goes and its input comes from.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "dev/sink.hpp"
#include "run/ending.hpp"
#include "run/event_loop.hpp"

namespace vmctl {

struct ChannelSpec {
  enum class Kind : std::uint8_t { none, stdio, pty, file, socket };
  Kind kind = Kind::none;
  std::string path;  // of the file or the socket
};

// "stdio", "none", "pty", "file:PATH" or "unix:PATH".
Result<ChannelSpec> parse_channel(std::string_view text);

// One file has one of these, however many names.
struct FileId {
  std::uint64_t device;
  std::uint64_t inode;
  bool operator==(const FileId&) const = default;
};

// Nothing for what is no regular file.
std::optional<FileId> file_id(int fd);

// What Channel::finish() says of output that nobody read, of which some was dropped before; empty
// if there is none.
std::string unread(std::uint64_t kept, std::uint64_t lost, std::string_view place);

// put() waits for a slow reader of standard output or a file, but never past the machine's end, and
// ends the machine when it cannot write at all; what a pty's or a socket's reader does not take is
// kept for him (Backlog). All but take() may be called from several threads.
class Channel : public Sink {
 public:
  static Result<std::unique_ptr<Channel>> open(const ChannelSpec& spec, Ending& ending);

  // Before any thread runs: where it does what is to be done beside put() and take(). The loop is
  // stopped before the channel goes.
  virtual void run_on(EventLoop& /*loop*/) {}

  // Readable when take() has something to do; -1 if there is nothing to wait for now.
  virtual int input_fd() const { return -1; }
  // Nothing ever comes (any more).
  virtual bool ended() const { return input_fd() < 0; }
  // Whether take() has something although input_fd() may not be readable.
  virtual bool has_input() const { return false; }
  // Called when input_fd(), has_input() or ended() has changed, but by take(). Before any thread
  // runs.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): who overrides it keeps it
  virtual void on_change(std::function<void()> /*handler*/) {}
  // How to ask whether the guest has ever looked for input. Before any thread runs.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): likewise
  virtual void ask_listening(std::function<bool()> /*ask*/) {}
  // As much as there is, without waiting; nothing if there is none now. May change input_fd().
  virtual std::size_t take(std::span<std::uint8_t> /*room*/) { return 0; }

  // What a file was is overwritten: called when nothing else can fail any more.
  virtual Result<> begin() { return {}; }
  // When the loop has been stopped: gives what is kept to a reader who takes it, and says what is
  // left, "12 bytes of output were not read from it", or nothing.
  virtual std::string finish() { return ""; }
  // Which file it writes to, if it is one.
  virtual std::optional<FileId> file() const { return std::nullopt; }

  // Where others find it: "/dev/pts/3"; empty if that was the user's to say.
  virtual std::string place() const { return ""; }
};

}  // namespace vmctl
