// SPDX-License-Identifier: GPL-2.0
#include "machine/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vmctl {
namespace {

// Where the file cannot be read, and why: the driver says only that it could not.
Result<> try_to_read(const Image& image, const Segment& segment) {
  std::array<std::uint8_t, 16384> room{};
  for (std::uint64_t done = 0; done < segment.length; done += room.size()) {
    const auto part = std::min<std::uint64_t>(room.size(), segment.length - done);
    TRY(image.read(segment.offset + done, std::span(room).first(part)));
  }
  return {};
}

}  // namespace

Error explain_load(const Image& image, const Segment& segment, Errno error) {
  if (error.code == ENODATA) return image_truncated(image.path(), segment.offset + segment.length);
  Error explained = explain(ioc::vmctl_load_image.name, error);
  explained.where = fmt::format("{} to gpa {:#x}", image.path(), segment.gpa.value);
  if (error.code == EIO) explained.status = Status::bad_image;  // the disk, or what is on it
  return explained;
}

Result<std::optional<Digest>> load_segment(const Vm& vm, const GuestMemory& memory,
                                           const Image& image, const Segment& segment) {
  const auto room = TRY(memory.span(segment.gpa, segment.length));
  if (!vm.is_vmctl()) {
    TRY(image.read(segment.offset, room));
    return std::optional<Digest>();
  }
  auto digest = vm.load_image(image.fd(), segment.offset, segment.length, segment.gpa);
  if (!digest) {
    if (digest.error().code == EIO) TRY(try_to_read(image, segment));
    return fail(explain_load(image, segment, digest.error()));
  }
  return std::optional<Digest>(*digest);
}

}  // namespace vmctl
