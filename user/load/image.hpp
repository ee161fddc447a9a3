// SPDX-License-Identifier: GPL-2.0
// A guest image on disk, opened and known to be a file with something in it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace vmctl {

class Image {
 public:
  // no_input: not there or not readable; bad_image: not a regular file, or empty.
  static Result<Image> open(const std::string& path);

  const Fd& fd() const { return fd_; }
  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  // Reads exactly this much; bad_image if the file has become shorter.
  Result<> read(std::uint64_t offset, std::span<std::uint8_t> into) const;

 private:
  Image(Fd fd, std::string path, std::uint64_t size)
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  Fd fd_;
  std::string path_;
  std::uint64_t size_;
};

// The file has ended before what was to be loaded: the same words whoever noticed.
Error image_truncated(const std::string& path, std::uint64_t wanted_end);

}  // namespace vmctl
