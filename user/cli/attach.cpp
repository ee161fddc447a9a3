// SPDX-License-Identifier: GPL-2.0
// vmctl attach: the console of a VM that runs.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/log.hpp"
#include "cli/command.hpp"
#include "cli/vm_id.hpp"
#include "console/attach_place.hpp"
#include "console/attach_protocol.hpp"
#include "console/local_terminal.hpp"
#include "console/unix_socket.hpp"
#include "kernel/node.hpp"
#include "kernel/vm_table.hpp"
#include "run/end_signals.hpp"

namespace vmctl::cli {
namespace {

constexpr int kLookAgainMs = 1000;
constexpr std::size_t kUnsentMax = 64 << 10;

bool is_served_by(const Fd& socket, uid_t user) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == user;
}

// Whose VM it may be: one's own; for root that of the VM's, or process's, user.
std::vector<uid_t> owners(std::uint32_t id) {
  std::vector<uid_t> users{::geteuid()};
  if (users.front() != 0) return users;
  if (const auto node = Node::open_vmctl())
    if (const auto table = read_vm_table(*node))
      for (const VmRow& row : *table)
        if (row.id == id) users.push_back(static_cast<uid_t>(row.uid));
  struct stat process {};
  if (::stat(fmt::format("/proc/{}", id).c_str(), &process) == 0) users.push_back(process.st_uid);
  return users;
}

Result<Fd> connect_to_vm(std::uint32_t id) {
  for (const uid_t user : owners(id))
    for (const std::string& folder : attach_folders(user)) {
      if (!is_private_folder(folder, user)) continue;
      for (const std::string& name : {attach_name(id, 0), attach_name(0, static_cast<pid_t>(id))}) {
        auto socket = connect_to(fmt::format("{}/{}", folder, name));
        if (socket && is_served_by(*socket, user)) return std::move(*socket);
      }
    }
  return fail({.status = Status::no_input,
               .what = fmt::format("cannot attach to VM {}", id),
               .why = "no vmctl load of yours with this id, or as this process, can be attached to",
               .advice = "vmctl ps lists VMs; vmctl load can be attached to with --irqchip kernel "
                         "or --attach"});
}

class Client {
 public:
  explicit Client(Fd socket) : socket_(std::move(socket)), terminal_(LocalTerminal::open()) {
    if (!terminal_) return;
    if (const auto size = terminal_->size()) out_ += encode_size(*size);
    note("attached: Ctrl-A d detaches, Ctrl-A h helps");
  }

  Result<int> run() {
    while (!status_) TRY(step());
    return *status_;
  }

 private:
  Result<> step() {
    const bool full = out_.size() >= kUnsentMax;
    if (terminal_) input_ = terminal_->input_fd();
    const bool away = terminal_ && terminal_->away();
    std::array<pollfd, 4> fds{
        {{.fd = signals_.fd(), .events = POLLIN, .revents = 0},
         {.fd = socket_.get(),
          .events = static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT),
          .revents = 0},
         {.fd = full ? -1 : input_, .events = POLLIN, .revents = 0},
         {.fd = terminal_ ? terminal_->signal_fd() : -1, .events = POLLIN, .revents = 0}}};
    const int ready = ::poll(fds.data(), fds.size(), away ? kLookAgainMs : -1);
    if (away) terminal_->look_again();
    if (ready <= 0) return {};
    if (fds[0].revents != 0)
      if (const int number = signals_.take(); number != 0) status_ = 128 + number;
    if (fds[3].revents != 0 && terminal_->take_signals())
      if (const auto size = terminal_->size()) out_ += encode_size(*size);
    if (fds[2].revents != 0) terminal_ ? carry_out(terminal_->read()) : read_input();
    if ((fds[1].revents & POLLOUT) != 0) send();
    if ((fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) return receive();
    return {};
  }

  // Standard input is no terminal: its bytes, as they are.
  void read_input() {
    std::array<char, kFrameMax> bytes{};
    const ssize_t got = ::read(input_, bytes.data(), bytes.size());
    if (got > 0)
      out_ += encode_frame(FrameType::input, {bytes.data(), static_cast<std::size_t>(got)});
    else if (got == 0 || (errno != EINTR && errno != EAGAIN))
      input_ = -1;
  }

  void carry_out(const std::vector<Keyboard::Action>& actions) {
    for (const Keyboard::Action& action : actions) {
      if (const auto* typed = std::get_if<Keyboard::Type>(&action))
        out_ += encode_frame(FrameType::input, typed->bytes);
      else if (const auto* text = std::get_if<Keyboard::Show>(&action))
        LocalTerminal::show(text->text);
      else if (const auto* line = std::get_if<Keyboard::Line>(&action))
        out_ += encode_frame(FrameType::line, line->text);
      else if (std::holds_alternative<Keyboard::Quit>(action))
        out_ += encode_frame(FrameType::quit, "");
      else
        detach();
    }
  }

  void detach() {
    send();  // what there is room for
    LocalTerminal::show("\r\nvmctl: detached\r\n");
    status_ = 0;
  }

  void send() {
    const ssize_t sent =
        ::send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
  }

  Result<> receive() {
    std::array<std::uint8_t, kFrameMax> bytes{};
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got <= 0)
      return fail({.status = Status::unavailable,
                   .what = "the machine's vmctl load has hung up",
                   .why = got == 0 ? "it is gone" : errno_text(errno)});
    frames_.feed(std::span(bytes).first(static_cast<std::size_t>(got)));
    while (!status_) {
      const auto frame = TRY(frames_.next());
      if (!frame) break;
      TRY(take(*frame));
    }
    return {};
  }

  Result<> take(const Frame& frame) {
    if (!greeted_) {
      if (frame.type != FrameType::hello || frame.body != kAttachHello)
        return fail({.status = Status::unavailable,
                     .what = "cannot talk to the machine's vmctl load",
                     .why = "it is of another version"});
      greeted_ = true;
      return {};
    }
    switch (frame.type) {
      case FrameType::output:
        if (write_all(STDOUT_FILENO, frame.body)) return {};
        return fail({.status = Status::output,
                     .what = "cannot write to standard output",
                     .why = errno_text(errno)});
      case FrameType::answer:
        LocalTerminal::show(frame.body);
        break;
      case FrameType::done:
        if (terminal_) carry_out(terminal_->keyboard().answered("", frame.body == "leave"));
        break;
      case FrameType::end:
        terminal_.reset();
        note("the machine: " + frame.body);
        status_ = 0;
        break;
      default:
        break;
    }
    return {};
  }

  const EndSignals signals_;
  Fd socket_;
  std::unique_ptr<LocalTerminal> terminal_;
  int input_ = STDIN_FILENO;  // -1: it has ended
  std::string out_;
  FrameReader frames_;
  bool greeted_ = false;
  std::optional<int> status_;
};

Result<int> attach(const std::string& text) {
  const std::uint32_t id = TRY(parse_vm_id(text));
  Client client(TRY(connect_to_vm(id)));
  return client.run();
}

}  // namespace

void add_attach(CLI::App& command, Action& action) {
  command.footer(
      "What the guest has said so far is shown first, the last 256K of it. Ctrl-A d detaches,\n"
      "Ctrl-A x ends the machine, Ctrl-A c is its monitor, Ctrl-A h helps; where standard input "
      "is\n"
      "no terminal, it is passed on byte for byte. Several may be attached to one VM. For your "
      "own\n"
      "VMs; for root any. Status 0 when detached and when the machine has ended, 66 if there is "
      "no\n"
      "such VM.");
  auto id = std::make_shared<std::string>();
  command.add_option("ID", *id, "as in vmctl ps; for raw KVM the process id")->required();
  command.callback([id, &action] { action = [id] { return attach(*id); }; });
}

}  // namespace vmctl::cli
