// SPDX-License-Identifier: GPL-2.0
#include "share/session.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "share/operations.hpp"
#include "share/request.hpp"

namespace vmctl {
namespace {

std::uint32_t opcode_of(std::span<const std::uint8_t> request) {
  fuse_in_header header;
  std::memcpy(&header, request.data(), sizeof header);
  return header.opcode;
}

}  // namespace

Result<std::unique_ptr<ShareSession>> ShareSession::open(const std::string& path, bool read_only) {
  // What a guest does wrong is not for our standard error.
  fuse_set_log_func([](enum fuse_log_level, const char*, va_list) {});
  std::unique_ptr<ShareSession> session(new ShareSession(TRY(Folder::open(path, read_only))));
  TRY(session->create());
  return session;
}

void ShareSession::Destroy::operator()(fuse_session* session) const {
  fuse_session_destroy(session);
}

Result<> ShareSession::create() {
  std::array<char, 6> name{"vmctl"};
  std::array<char*, 2> argv{name.data(), nullptr};
  fuse_args arguments{.argc = 1, .argv = argv.data(), .allocated = 0};
  session_.reset(
      fuse_session_new(&arguments, &share_operations(), sizeof(fuse_lowlevel_ops), this));
  // It takes a copy of them, and leaves that behind.
  fuse_opt_free_args(&arguments);
  fuse_custom_io io{};
  io.writev = take;
  // Requests are given to it; it never asks.
  io.read = [](int, void*, size_t, void*) -> ssize_t {
    errno = ENOTSUP;
    return -1;
  };
  // The session's to close; nothing is done with it.
  Fd unused(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const int error = !session_         ? ENOMEM
                    : !unused.valid() ? errno
                                      : -fuse_session_custom_io(session_.get(), &io, unused.get());
  if (error != 0)
    return fail({.status = Status::internal,
                 .what = "cannot make a FUSE session",
                 .why = errno_text(error)});
  unused.release();
  return {};
}

void ShareSession::restart() {
  session_.reset();
  folder_.forget_all();
  // Where it cannot be made anew, requests are refused.
  if (!create()) session_.reset();
}

std::span<std::uint8_t> ShareSession::buffer(std::size_t size) {
  if (buffer_.size() < size) buffer_.resize(size);
  return std::span(buffer_).first(size);
}

ssize_t ShareSession::take(int /*fd*/, iovec* parts, int count, void* self) {
  Answer& answer = static_cast<ShareSession*>(self)->answer_;
  const std::span<const iovec> all(parts, static_cast<std::size_t>(count));
  std::size_t length = 0;
  for (const iovec& part : all) length += part.iov_len;
  // What the driver gave no room for it does not get; a request has one answer.
  if (length <= answer.room && answer.length == 0) {
    for (const iovec& part : all) {
      (*answer.write)(answer.length,
                      {static_cast<const std::uint8_t*>(part.iov_base), part.iov_len});
      answer.length += part.iov_len;
    }
  }
  return static_cast<ssize_t>(length);
}

std::size_t ShareSession::refuse(std::span<const std::uint8_t> request, int error) const {
  fuse_in_header in;
  std::memcpy(&in, request.data(), sizeof in);
  fuse_out_header out{.len = sizeof out, .error = -error, .unique = in.unique};
  if (answer_.room < sizeof out) return 0;
  (*answer_.write)(0, {reinterpret_cast<const std::uint8_t*>(&out), sizeof out});
  return sizeof out;
}

std::size_t ShareSession::serve(std::span<const std::uint8_t> request, std::size_t room,
                                const Write& write) {
  answer_ = {.room = room, .write = &write};
  const FuseVerdict verdict = check_fuse_request(request);
  const int error = session_ ? verdict.error : EIO;
  if (error != 0) return verdict.answer ? refuse(request, error) : 0;
  fuse_buf buffer{};
  buffer.size = request.size();
  // It edits flags in place, of a copy that is the caller's to give.
  buffer.mem = const_cast<std::uint8_t*>(request.data());
  fuse_session_process_buf(session_.get(), &buffer);
  // After this one the guest may begin anew, for which libfuse wants another session.
  if (opcode_of(request) == FUSE_DESTROY) restart();
  if (answer_.length == 0 && verdict.answer) return refuse(request, EIO);
  return answer_.length;
}

}  // namespace vmctl
