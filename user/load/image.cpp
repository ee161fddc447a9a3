// SPDX-License-Identifier: GPL-2.0
#include "load/image.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vmctl {
namespace {

constexpr const char* kWhat = "cannot load the image";

Error explain_open_image(const std::string& path, int error) {
  Error explained{
      .status = Status::no_input, .what = kWhat, .where = path, .why = errno_text(error)};
  if (error == EACCES)
    explained.advice = "the file, or a directory on the way to it, is not readable for this user";
  if (error == ENOENT) explained.advice = "check the path; it is taken from the current directory";
  return explained;
}

std::string kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "it is a directory";
  if (S_ISCHR(mode) || S_ISBLK(mode)) return "it is a device, not a regular file";
  return "it is not a regular file";
}

}  // namespace

Error image_truncated(const std::string& path, std::uint64_t wanted_end) {
  return {
      .status = Status::bad_image,
      .what = kWhat,
      .where = path,
      .why = fmt::format("the file became shorter than {} bytes while it was loaded", wanted_end),
      .advice = "somebody is writing to it: wait until that is done, then try again"};
}

Result<Image> Image::open(const std::string& path) {
  // O_NONBLOCK: a FIFO without a writer must not hold us before it is refused.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return fail(explain_open_image(path, errno));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return fail(explain_open_image(path, errno));
  if (!S_ISREG(st.st_mode))
    return fail({.status = Status::bad_image,
                 .what = kWhat,
                 .where = path,
                 .why = kind_of(st.st_mode),
                 .advice = "give the file that holds the guest's code"});
  if (st.st_size == 0)
    return fail({.status = Status::bad_image,
                 .what = kWhat,
                 .where = path,
                 .why = "the file is empty",
                 .advice = "there is nothing to run; was it built?"});
  return Image(std::move(fd), path, static_cast<std::uint64_t>(st.st_size));
}

Result<> Image::read(std::uint64_t offset, std::span<std::uint8_t> into) const {
  const std::uint64_t end = offset + into.size();
  while (!into.empty()) {
    const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail({.status = Status::bad_image,
                   .what = kWhat,
                   .where = fmt::format("{} at offset {}", path_, offset),
                   .why = errno_text(errno)});
    if (got == 0) return fail(image_truncated(path_, end));
    offset += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace vmctl
