// SPDX-License-Identifier: GPL-2.0
// A guest image in a file, opened and known to have something in it.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "load/source.hpp"

namespace vmctl {

class Image final : public Source {
 public:
  // no_input: not there or not readable; bad_image: not a regular file, or empty.
  static Result<Image> open(const std::string& path);
  // What is in a file without a name (memfd_create(2)), as after unpacking; `path` for messages.
  Image(Fd memory, std::string path, std::uint64_t size)
      : fd_(std::move(memory)), path_(std::move(path)), size_(size) {}

  const Fd& fd() const { return fd_; }
  const std::string& path() const override { return path_; }
  std::uint64_t size() const override { return size_; }

  // Reads exactly this much; bad_image if the file has become shorter.
  Result<> read(std::uint64_t offset, std::span<std::uint8_t> into) const override;

 private:
  Fd fd_;
  std::string path_;
  std::uint64_t size_;
};

// The file has ended before what was to be loaded: the same words whoever noticed.
Error image_truncated(const std::string& path, std::uint64_t wanted_end);

}  // namespace vmctl
