// SPDX-License-Identifier: GPL-2.0
// Both ends of unpacking, and what is between them for each library.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "load/image.hpp"
#include "load/source.hpp"

namespace vmctl {

// A compressed file, read from front to end.
class PackedReader {
 public:
  explicit PackedReader(const Source& source) : source_(source) {}

  // Bytes that come next, at least `least` (at most kBuffer) unless the file ends before; empty at
  // its end. Valid until the next call.
  static constexpr std::size_t kBuffer = 64 << 10;
  Result<std::span<const std::uint8_t>> peek(std::size_t least = 1);
  void skip(std::size_t count);  // of what was seen

  // Exactly into.size() bytes, however many; as truncated() if they are not there.
  Result<> take(std::string_view format, std::span<std::uint8_t> into);

  // Of what comes next.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t left() const { return source_.size() - offset_; }

  // bad_image: "FORMAT stream at offset ..: WHY", and that the file ends within the stream.
  Failure corrupt(std::string_view format, std::string_view why) const;
  Failure truncated(std::string_view format) const;

 private:
  const Source& source_;
  std::uint64_t offset_ = 0;
  std::vector<std::uint8_t> buffer_;
  std::span<const std::uint8_t> unread_;
};

// Where the bytes go: a file in memory that grows up to a limit.
class UnpackedWriter {
 public:
  // internal: no such file can be had.
  static Result<UnpackedWriter> create(const Source& packed, std::uint64_t limit);

  // bad_image: more than the limit.
  Result<> put(std::span<const std::uint8_t> bytes);
  std::uint64_t size() const { return size_; }

  // Nobody can change it after this. bad_image: nothing was put.
  Result<Image> seal() &&;

 private:
  UnpackedWriter(Fd fd, std::string path, std::uint64_t limit)
      : fd_(std::move(fd)), path_(std::move(path)), limit_(limit) {}

  Fd fd_;
  std::string path_;
  std::uint64_t limit_;
  std::uint64_t size_ = 0;
};

// From here to the end of the file, all members or frames of it. bad_image: truncated, corrupt,
// something else behind the last one, or too large for the writer.
// RFC 1952; zeros behind a member are padding.
Result<> unpack_gzip(PackedReader& in, UnpackedWriter& out);
Result<> unpack_xz(PackedReader& in, UnpackedWriter& out);    // The .xz File Format 1.1
Result<> unpack_zstd(PackedReader& in, UnpackedWriter& out);  // RFC 8878
// LZ4 Frame Format 1.6, and its legacy frames, which kernels use.
Result<> unpack_lz4(PackedReader& in, UnpackedWriter& out);

}  // namespace vmctl
