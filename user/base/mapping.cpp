// SPDX-License-Identifier: GPL-2.0
#include "base/mapping.hpp"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

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

Result<Mapping> Mapping::huge(std::size_t length) {
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  if (length > SIZE_MAX - kHugePage - page) return anonymous(length);  // fails, and says why
  const std::size_t used = (length + page - 1) / page * page;
  Mapping all = TRY(anonymous(used + kHugePage));
  std::uint8_t* const begin = all.bytes_.data();
  const std::size_t before = -reinterpret_cast<std::uintptr_t>(begin) % kHugePage;
  if (before > 0) ::munmap(begin, before);
  ::munmap(begin + before + used, kHugePage - before);
  all.bytes_ = {begin + before, length};
  // A kernel without them has small ones, which do as well.
  ::madvise(all.bytes_.data(), all.bytes_.size(), MADV_HUGEPAGE);
  return all;
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
