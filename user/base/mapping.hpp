// SPDX-License-Identifier: GPL-2.0
// A memory mapping that is unmapped with its owner and that knows its length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace vmctl {

// What a level 2 entry of x86-64's page tables maps (SDM 3A, 4.5), and one of nested ones.
inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

class Mapping {
 public:
  // Private zeroed memory, reserved as it is touched.
  static Result<Mapping> anonymous(std::size_t length);
  // The same, aligned to kHugePage, and in pages of that size where the kernel has them
  // (Documentation/admin-guide/mm/transhuge.rst).
  static Result<Mapping> huge(std::size_t length);
  // Shared and writable, from the start of a file or device.
  static Result<Mapping> shared(const Fd& fd, std::size_t length);

  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping();

  std::span<std::uint8_t> bytes() const { return bytes_; }

 private:
  explicit Mapping(std::span<std::uint8_t> bytes) : bytes_(bytes) {}
  static Result<Mapping> map(std::size_t length, int flags, int fd);

  std::span<std::uint8_t> bytes_;
};

}  // namespace vmctl
