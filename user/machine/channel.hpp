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
#include "machine/ending.hpp"

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

// put() waits for a slow reader, but never past the machine's end; when it cannot write at all it
// ends the machine. All but take() may be called from several threads.
class Channel : public Sink {
 public:
  static Result<std::unique_ptr<Channel>> open(const ChannelSpec& spec, Ending& ending);

  // Readable when take() has something to do; -1 if there is nothing to wait for now.
  virtual int input_fd() const { return -1; }
  // Nothing ever comes (any more).
  virtual bool ended() const { return input_fd() < 0; }
  // Called when input_fd() has changed, but by take(). Before any thread runs.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): who overrides it keeps it
  virtual void on_change(std::function<void()> /*handler*/) {}
  // As much as there is, without waiting; nothing if there is none now. May change input_fd().
  virtual std::size_t take(std::span<std::uint8_t> /*room*/) { return 0; }

  // What a file was is overwritten: called when nothing else can fail any more.
  virtual Result<> begin() { return {}; }
  // Which file it writes to, if it is one.
  virtual std::optional<FileId> file() const { return std::nullopt; }

  // Where others find it: "/dev/pts/3"; empty if that was the user's to say.
  virtual std::string place() const { return ""; }
};

}  // namespace vmctl
