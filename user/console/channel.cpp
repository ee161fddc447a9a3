// SPDX-License-Identifier: GPL-2.0
#include "console/channel.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "console/backlog.hpp"
#include "console/output.hpp"
#include "console/socket_channel.hpp"

namespace vmctl {
namespace {

class NoChannel final : public Channel {
 public:
  void put(std::span<const std::uint8_t> /*bytes*/) override {}
};

// A file, or standard input and output.
class FdChannel final : public Channel {
 public:
  struct Ends {
    int out = -1;
    int in = -1;  // none: there is no input
    Fd owned;     // what is to be closed of these
    std::string name;
  };

  FdChannel(Ends ends, Ending& ending)
      : ends_(std::move(ends)), in_(ends_.in), output_(ends_.out, ending), ending_(ending) {}

  void put(std::span<const std::uint8_t> bytes) override {
    report_output(output_.write(bytes), ends_.name, ending_);
  }

  int input_fd() const override { return in_; }

  std::size_t take(std::span<std::uint8_t> room) override {
    const ssize_t got = ::read(in_, room.data(), room.size());
    if (got > 0) return static_cast<std::size_t>(got);
    // Its end; or a terminal that others have in the foreground.
    if (got == 0 || (errno != EINTR && errno != EAGAIN)) in_ = -1;
    return 0;
  }

  Result<> begin() override {
    if (!file() || ::ftruncate(ends_.out, 0) == 0) return {};
    return fail({.status = Status::output,
                 .what = fmt::format("cannot empty {}", ends_.name),
                 .why = errno_text(errno)});
  }

  // Standard output is the user's own affair.
  std::optional<FileId> file() const override {
    return ends_.owned.valid() ? file_id(ends_.out) : std::nullopt;
  }

 private:
  Ends ends_;
  std::atomic<int> in_;
  Output output_;
  Ending& ending_;
};

class PtyChannel final : public Channel {
 public:
  struct Ends {
    Fd ours;    // does not block
    Fd keeper;  // the other side, so that it lives without a reader
    std::string place;
  };

  PtyChannel(Ends ends, const Ending& ending) : ends_(std::move(ends)), backlog_(ending) {
    backlog_.set_reader(ends_.ours.get());
  }

  void run_on(EventLoop& loop) override {
    room_ = loop.watch([this] {
      static_cast<void>(backlog_.flush());
      wait_for_room();
    });
  }

  void put(std::span<const std::uint8_t> bytes) override {
    static_cast<void>(backlog_.put(bytes));  // it cannot be lost while there is a keeper
    wait_for_room();
  }

  int input_fd() const override { return ends_.ours.get(); }

  std::size_t take(std::span<std::uint8_t> room) override {
    const ssize_t got = ::read(ends_.ours.get(), room.data(), room.size());
    return got > 0 ? static_cast<std::size_t>(got) : 0;
  }

  // What the kernel holds goes with the pty, so a reader who is there gets a moment for it.
  std::string finish() override {
    backlog_.finish();
    int held = 0;
    for (int i = 0; i < kLastMomentMs; ++i) {
      if (::ioctl(ends_.keeper.get(), FIONREAD, &held) != 0 || held <= 0) break;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return unread(backlog_.kept() + static_cast<std::uint64_t>(held), backlog_.lost(), ends_.place);
  }

  std::string place() const override { return ends_.place; }

 private:
  static constexpr int kLastMomentMs = 200;

  void wait_for_room() {
    if (room_) room_->set_for_room(backlog_.pending() ? ends_.ours.get() : -1);
  }

  Ends ends_;
  Backlog backlog_;
  std::unique_ptr<EventLoop::Watch> room_;
};

Failure cannot(std::string what, int error, std::string advice = "") {
  return fail({.status = Status::output,
               .what = std::move(what),
               .why = errno_text(error),
               .advice = std::move(advice)});
}

Result<FdChannel::Ends> open_file(const std::string& path) {
  FdChannel::Ends ends{.name = escaped(path)};
  // O_NONBLOCK for this moment: a FIFO would wait for its reader.
  ends.owned =
      Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666));
  ends.out = ends.owned.get();
  if (ends.out < 0)
    return cannot(fmt::format("cannot write to {}", ends.name), errno,
                  errno == ENXIO ? "a FIFO needs its reader first, a socket is for unix:PATH" : "");
  if (::fcntl(ends.out, F_SETFL, 0) != 0)
    return cannot(fmt::format("cannot write to {}", ends.name), errno);
  return ends;
}

Result<PtyChannel::Ends> open_pty() {
  PtyChannel::Ends ends{};
  ends.ours = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  const int ours = ends.ours.get();
  if (ours < 0 || ::grantpt(ours) != 0 || ::unlockpt(ours) != 0)
    return cannot("cannot make a pty", errno, "is devpts mounted on /dev/pts?");
  std::array<char, 64> name{};
  if (::ptsname_r(ours, name.data(), name.size()) != 0) return cannot("cannot name the pty", errno);
  ends.place = name.data();
  ends.keeper = Fd(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ends.keeper.valid()) return cannot(fmt::format("cannot open {}", ends.place), errno);
  termios raw{};
  if (::tcgetattr(ends.keeper.get(), &raw) == 0) {
    ::cfmakeraw(&raw);
    ::tcsetattr(ends.keeper.get(), TCSANOW, &raw);
  }
  return ends;
}

}  // namespace

std::string unread(std::uint64_t kept, std::uint64_t lost, std::string_view place) {
  if (kept + lost == 0) return "";
  std::string text =
      fmt::format("{} bytes of the guest's output were not read from {}", kept + lost, place);
  if (lost > 0) text += fmt::format("; {} of them were dropped, the oldest", lost);
  return text;
}

std::optional<FileId> file_id(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return FileId{.device = status.st_dev, .inode = status.st_ino};
}

Result<ChannelSpec> parse_channel(std::string_view text) {
  using Kind = ChannelSpec::Kind;
  if (text == "none") return ChannelSpec{.kind = Kind::none};
  if (text == "stdio") return ChannelSpec{.kind = Kind::stdio};
  if (text == "pty") return ChannelSpec{.kind = Kind::pty};
  for (const auto& [prefix, kind] : {std::pair<std::string_view, Kind>{"file:", Kind::file},
                                     std::pair<std::string_view, Kind>{"unix:", Kind::socket}})
    if (text.starts_with(prefix) && text.size() > prefix.size())
      return ChannelSpec{.kind = kind, .path = std::string(text.substr(prefix.size()))};
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", escaped(text)),
               .why = "not an end of a serial line (stdio, pty, file:PATH, unix:PATH, none)"});
}

Result<std::unique_ptr<Channel>> Channel::open(const ChannelSpec& spec, Ending& ending) {
  using Kind = ChannelSpec::Kind;
  const auto on_fds = [&](FdChannel::Ends ends) -> std::unique_ptr<Channel> {
    return std::make_unique<FdChannel>(std::move(ends), ending);
  };
  switch (spec.kind) {
    case Kind::stdio:
      return on_fds({.out = STDOUT_FILENO, .in = STDIN_FILENO, .name = "standard output"});
    case Kind::file:
      return on_fds(TRY(open_file(spec.path)));
    case Kind::pty:
      return std::unique_ptr<Channel>(std::make_unique<PtyChannel>(TRY(open_pty()), ending));
    case Kind::socket:
      return open_socket_channel(spec.path, ending);
    case Kind::none:
      break;
  }
  return std::unique_ptr<Channel>(std::make_unique<NoChannel>());
}

}  // namespace vmctl
