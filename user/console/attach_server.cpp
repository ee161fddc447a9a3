// SPDX-License-Identifier: GPL-2.0
#include "console/attach_server.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <cstdio>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "console/unix_socket.hpp"

namespace vmctl {
namespace {

// The owner of this process, and root, who may do anything to it anyway.
bool may_attach(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         (peer.uid == ::geteuid() || peer.uid == 0);
}

}  // namespace

Result<std::unique_ptr<AttachServer>> AttachServer::open(const std::string& path, EventLoop& loop,
                                                         Host host) {
  return std::unique_ptr<AttachServer>(
      new AttachServer(TRY(listen_at(path)), path, loop, std::move(host)));
}

AttachServer::AttachServer(Fd listener, std::string path, EventLoop& loop, Host host)
    : listener_(std::move(listener)),
      path_(std::move(path)),
      host_(std::move(host)),
      arrivals_(loop.watch([this] { accept(); })),
      output_(loop.timer([this] {
        told_ = false;
        for (Peer& peer : peers_) {
          send(peer);
          if (!peer.answering) read_frames(peer);
        }
      })) {
  for (Peer& peer : peers_) {
    peer.input = loop.watch([this, &peer] { receive(peer); });
    peer.room = loop.watch([this, &peer] { send(peer); });
  }
}

AttachServer::~AttachServer() {
  ::unlink(path_.c_str());
}

void AttachServer::move_to(const std::string& path) {
  if (std::rename(path_.c_str(), path.c_str()) == 0) path_ = path;
}

void AttachServer::record(std::span<const std::uint8_t> bytes) {
  {
    const std::lock_guard guard(lock_);
    ring_.write(bytes);
  }
  if (attached_ > 0 && !told_.exchange(true)) output_->set(Time::zero());
}

void AttachServer::accept() {
  Fd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.valid() || !may_attach(fd.get())) return;
  auto* const free =
      std::ranges::find_if(peers_, [](const Peer& peer) { return !peer.fd.valid(); });
  if (free == peers_.end()) {
    const std::string full = encode_frame(FrameType::hello, kAttachHello) +
                             encode_frame(FrameType::end, "as many are attached as can be");
    static_cast<void>(::send(fd.get(), full.data(), full.size(), MSG_NOSIGNAL));
    return;
  }
  free->fd = std::move(fd);
  free->in = {};
  free->held.reset();
  free->out = encode_frame(FrameType::hello, kAttachHello);
  free->answer.clear();
  free->answering = free->leave = free->ending = false;
  free->reader = RingReader();
  ++attached_;
  free->input->set(free->fd.get());
  send(*free);
}

void AttachServer::drop(Peer& peer) {
  if (!peer.fd.valid()) return;
  peer.input->set(-1);
  peer.room->set(-1);
  peer.fd = Fd();
  --attached_;
}

void AttachServer::receive(Peer& peer) {
  if (!peer.fd.valid()) return;
  std::array<std::uint8_t, kFrameMax> bytes{};
  const ssize_t got = ::recv(peer.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) {
    peer.in.feed(std::span(bytes).first(static_cast<std::size_t>(got)));
    read_frames(peer);
  } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
    drop(peer);
  }
}

// As far as they can be taken now; nothing more is received until then.
void AttachServer::read_frames(Peer& peer) {
  while (peer.fd.valid() && !peer.answering && !peer.ending) {
    if (!peer.held) {
      auto frame = peer.in.next();
      if (!frame) {
        peer.out += encode_frame(FrameType::end, frame.error().text());
        peer.ending = true;
        break;
      }
      if (!*frame) {
        peer.input->set(peer.fd.get());
        return;
      }
      peer.held = std::move(*frame);
    }
    if (peer.held->type == FrameType::input && !host_.has_room()) break;
    const Frame frame = *std::exchange(peer.held, std::nullopt);
    if (!take(peer, frame)) {
      drop(peer);
      return;
    }
  }
  if (peer.fd.valid()) peer.input->set(-1);
  send(peer);
}

// False: it is not for a machine.
bool AttachServer::take(Peer& peer, const Frame& frame) const {
  switch (frame.type) {
    case FrameType::input:
      host_.type(frame.body);
      return true;
    case FrameType::line: {
      MonitorAnswer answer = host_.answer(frame.body);
      peer.answer = std::move(answer.text);
      peer.leave = answer.leave;
      peer.answering = true;
      return true;
    }
    case FrameType::quit:
      host_.quit();
      return true;
    case FrameType::size:
      if (const auto size = decode_size(frame.body)) host_.resize(*size);
      return true;
    default:
      return false;
  }
}

// What is to be sent next, to peer.out, which is empty. False: nothing.
bool AttachServer::next_frame(Peer& peer) {
  if (peer.answering) {
    const std::string piece = peer.answer.substr(0, kFrameMax);
    peer.answer.erase(0, piece.size());
    peer.answering = !piece.empty();
    peer.out = piece.empty() ? encode_frame(FrameType::done, peer.leave ? "leave" : "")
                             : encode_frame(FrameType::answer, piece);
    return true;
  }
  const std::lock_guard guard(lock_);
  auto bytes = peer.reader.next(ring_);
  bytes = bytes.first(std::min(bytes.size(), kFrameMax));
  if (bytes.empty()) return false;
  peer.out =
      encode_frame(FrameType::output, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  peer.reader.took(bytes.size());
  return true;
}

// False: there is no room, or he is gone.
bool AttachServer::write_out(Peer& peer) {
  while (!peer.out.empty()) {
    const ssize_t sent =
        ::send(peer.fd.get(), peer.out.data(), peer.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      peer.out.erase(0, static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      peer.room->set_for_room(peer.fd.get());
      return false;
    } else if (errno != EINTR) {
      drop(peer);
      return false;
    }
  }
  return true;
}

void AttachServer::send(Peer& peer) {
  if (!peer.fd.valid()) return;
  const bool answered = peer.answering;
  do {
    if (!write_out(peer)) return;
    if (peer.ending) {
      drop(peer);
      return;
    }
  } while (next_frame(peer));
  peer.room->set(-1);
  if (answered) output_->set(Time::zero());  // for what came while he waited for the answer
}

void AttachServer::on_room() {
  for (Peer& peer : peers_)
    if (peer.held) read_frames(peer);
}

void AttachServer::finish(std::string_view end) {
  for (Peer& peer : peers_) {
    send(peer);
    if (!peer.fd.valid() || !peer.out.empty()) continue;
    peer.out = encode_frame(FrameType::end, end.substr(0, kFrameMax));
    static_cast<void>(write_out(peer));
    drop(peer);
  }
}

}  // namespace vmctl
