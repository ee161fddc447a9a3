// SPDX-License-Identifier: GPL-2.0
#include "load/unpack_stream.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/size.hpp"

namespace vmctl {
namespace {

Error no_memory(const std::string& path, int error) {
  return {.status = Status::internal,
          .what = "cannot unpack the image",
          .where = path,
          .why = fmt::format("no file in memory: {}", errno_text(error)),
          .advice = "unpack it into a file, and give that"};
}

}  // namespace

Result<std::span<const std::uint8_t>> PackedReader::peek(std::size_t least) {
  if (unread_.size() >= least || unread_.size() == left()) return unread_;
  std::vector<std::uint8_t> bytes(std::min<std::uint64_t>(kBuffer, left()));
  TRY(source_.read(offset_, bytes));
  buffer_ = std::move(bytes);
  unread_ = buffer_;
  return unread_;
}

void PackedReader::skip(std::size_t count) {
  count = std::min(count, unread_.size());
  unread_ = unread_.subspan(count);
  offset_ += count;
}

Result<> PackedReader::take(std::string_view format, std::span<std::uint8_t> into) {
  if (into.size() > left()) return truncated(format);
  TRY(source_.read(offset_, into));
  offset_ += into.size();
  unread_ = {};
  return {};
}

Failure PackedReader::corrupt(std::string_view format, std::string_view why) const {
  return reject(source_, {.field = fmt::format("{} stream", format),
                          .offset = offset_,
                          .found = std::string(why),
                          .allowed = fmt::format("what {} wrote", format),
                          .advice = "the file is damaged: fetch or build it anew"});
}

Failure PackedReader::truncated(std::string_view format) const {
  return reject(source_, {.field = fmt::format("{} stream", format),
                          .offset = source_.size(),
                          .found = "the file ends in the midst of it",
                          .allowed = "a whole one",
                          .advice = "the file is truncated: fetch or build it anew"});
}

Result<UnpackedWriter> UnpackedWriter::create(const Source& packed, std::uint64_t limit) {
  Fd fd(::memfd_create("vmctl-unpacked", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.valid()) return fail(no_memory(packed.path(), errno));
  return UnpackedWriter(std::move(fd), packed.path(), limit);
}

Result<> UnpackedWriter::put(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > limit_ - size_)
    return fail({.status = Status::bad_image,
                 .what = "cannot unpack the image",
                 .where = path_,
                 .why = fmt::format("it has become {} bytes, and goes on; allowed: at most {}",
                                    size_ + bytes.size(), limit_),
                 .advice = fmt::format("{} are what the guest's memory holds: give it more with "
                                       "--mem, if the file is what you take it for",
                                       format_size(limit_))});
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!write_all(fd_.get(), text)) return fail(no_memory(path_, errno));
  size_ += bytes.size();
  return {};
}

Result<Image> UnpackedWriter::seal() && {
  if (size_ == 0)
    return fail({.status = Status::bad_image,
                 .what = "cannot load the image",
                 .where = path_,
                 .why = "it unpacks to nothing",
                 .advice = "there is nothing to run; was it built?"});
  if (::fcntl(fd_.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) !=
      0)
    return fail(no_memory(path_, errno));
  return Image(std::move(fd_), std::move(path_), size_);
}

}  // namespace vmctl
