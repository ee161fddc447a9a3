// SPDX-License-Identifier: GPL-2.0
// Bytes that go into a guest, wherever they are: a file, what was unpacked, or memory. Planners
// read them through this door alone; each read is a copy, which is then checked.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/result.hpp"

namespace vmctl {

class Source {
 public:
  Source() = default;
  virtual ~Source() = default;

  virtual std::uint64_t size() const = 0;
  // For messages.
  virtual const std::string& path() const = 0;
  // Exactly into.size() bytes from `offset` on; bad_image where they are not (any more) there.
  virtual Result<> read(std::uint64_t offset, std::span<std::uint8_t> into) const = 0;

 protected:
  Source(const Source&) = default;
  Source(Source&&) = default;
  Source& operator=(const Source&) = default;
  Source& operator=(Source&&) = default;
};

// Bytes in memory, which must outlive it: for tests, and headers that were read before.
class MemorySource final : public Source {
 public:
  explicit MemorySource(std::span<const std::uint8_t> bytes, std::string path = "memory")
      : bytes_(bytes), path_(std::move(path)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  const std::string& path() const override { return path_; }
  Result<> read(std::uint64_t offset, std::span<std::uint8_t> into) const override;

 private:
  std::span<const std::uint8_t> bytes_;
  std::string path_;
};

// Why an image is no good: which field, where in the file, what it says and what it may say.
struct Fault {
  std::string field;     // "e_phentsize"
  std::uint64_t offset;  // in the file
  std::string found;     // "0x20"
  std::string allowed;   // "0x38"
  std::string advice = {};
};

// "cannot load the image: PATH: FIELD at offset 0x..: FOUND, allowed: ALLOWED"; bad_image.
Failure reject(const Source& source, const Fault& fault);

// Room for `size` bytes of `field` at `offset` in the source, or what is there instead.
Result<> check_within(const Source& source, std::string_view field, std::uint64_t offset,
                      std::uint64_t size);

// A structure as it stands in the file; x86 is little-endian on both sides.
template <class T>
Result<T> read_struct(const Source& source, std::string_view field, std::uint64_t offset) {
  static_assert(std::is_trivially_copyable_v<T>);
  TRY(check_within(source, field, offset, sizeof(T)));
  T value;
  TRY(source.read(offset, {reinterpret_cast<std::uint8_t*>(&value), sizeof value}));
  return value;
}

// `size` bytes, at most `limit`.
Result<std::vector<std::uint8_t>> read_bytes(const Source& source, std::string_view field,
                                             std::uint64_t offset, std::uint64_t size,
                                             std::uint64_t limit);

}  // namespace vmctl
