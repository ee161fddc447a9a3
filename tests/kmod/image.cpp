// SPDX-License-Identifier: GPL-2.0-only
#include "image.hpp"

#include <sys/mman.h>

namespace t {

Bytes pattern(std::size_t size, std::uint32_t seed) {
  Bytes bytes(size);
  std::uint32_t word = seed;
  for (std::size_t i = 0; i < size; ++i) {
    if (i % 4 == 0) word = word * 1664525 + 1013904223;
    bytes[i] = static_cast<std::uint8_t>(word >> 8 * (i % 4));
  }
  return bytes;
}

Fd file_of(std::span<const std::uint8_t> bytes) {
  Fd fd(::memfd_create("image", MFD_CLOEXEC));
  if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) return {};
  return fd;
}

std::string digest_text(const vmctl_load_image& image) {
  return "sha256:" + hex(image.sha256);
}

std::string digest_text(std::span<const std::uint8_t> bytes) {
  return "sha256:" + hex(sha256(bytes));
}

}  // namespace t
