// SPDX-License-Identifier: GPL-2.0
#include "base/mapping.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>

#include "base/size.hpp"

namespace vmctl {

Result<Mapping> Mapping::map(std::size_t length, int flags, int fd) {
  void* address = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (address == MAP_FAILED) {
    const int error = errno;
    return fail({.status = error == ENOMEM ? Status::unavailable : Status::internal,
                 .what = fmt::format("cannot map {} of memory", format_size(length)),
                 .why = errno_text(error)});
  }
  return Mapping({static_cast<std::uint8_t*>(address), length});
}

Result<Mapping> Mapping::anonymous(std::size_t length) {
  return map(length, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

Result<Mapping> Mapping::shared(const Fd& fd, std::size_t length) {
  return map(length, MAP_SHARED, fd.get());
}

Mapping::Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (bytes_.data() != nullptr) ::munmap(bytes_.data(), bytes_.size());
}

}  // namespace vmctl
