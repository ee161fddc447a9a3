// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/block.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vmctl {
namespace {

constexpr std::uint64_t kSegMax = 1ULL << 2;  // feature bits (5.2.3)
constexpr std::uint64_t kReadOnly = 1ULL << 5;
constexpr std::uint64_t kBlockSize = 1ULL << 6;
constexpr std::uint64_t kFlush = 1ULL << 9;
constexpr std::uint64_t kDiscard = 1ULL << 13;
constexpr std::uint64_t kWriteZeroes = 1ULL << 14;

enum Type : std::uint32_t {  // of requests (5.2.6)
  kIn = 0,
  kOut = 1,
  kFlushRequest = 4,
  kGetId = 8,
  kDiscardRequest = 11,
  kWriteZeroesRequest = 13,
};

// struct virtio_blk_config of 5.2.4: where its fields are.
constexpr std::size_t kCapacityAt = 0;
constexpr std::size_t kSegMaxAt = 12;
constexpr std::size_t kBlockSizeAt = 20;
constexpr std::size_t kMaxDiscardSectorsAt = 36;
constexpr std::size_t kMaxDiscardSegAt = 40;
constexpr std::size_t kDiscardAlignmentAt = 44;
constexpr std::size_t kMaxZeroesSectorsAt = 48;
constexpr std::size_t kMaxZeroesSegAt = 52;
constexpr std::size_t kZeroesMayUnmapAt = 56;

constexpr std::uint32_t kRangesMax = 16;                // of one request
constexpr std::uint32_t kDiscardSectorsMax = 1U << 22;  // of one range: 2 GiB
constexpr std::uint32_t kZeroesSectorsMax = 1U << 15;   // 16 MiB: some files must be written

struct Range {  // struct virtio_blk_discard_write_zeroes
  std::uint64_t sector;
  std::uint32_t sectors;
  std::uint32_t flags;
};
constexpr std::uint32_t kUnmap = 1;

// All of it, also where it comes in pieces; false at an error or the file's end.
template <class Transfer>
// cppcheck-suppress passedByValue ; it is written to
bool whole(std::vector<iovec> vectors, std::uint64_t offset, Transfer transfer) {
  std::span<iovec> left = vectors;
  while (!left.empty()) {
    const ssize_t done = transfer(left, static_cast<off_t>(offset));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    offset += static_cast<std::uint64_t>(done);
    auto rest = static_cast<std::size_t>(done);
    while (!left.empty() && rest >= left[0].iov_len) {
      rest -= left[0].iov_len;
      left = left.subspan(1);
    }
    if (rest == 0) continue;
    left[0].iov_base = static_cast<std::uint8_t*>(left[0].iov_base) + rest;
    left[0].iov_len -= rest;
  }
  return true;
}

}  // namespace

VirtioBlock::VirtioBlock(Disk disk) : disk_(std::move(disk)) {
  const auto put = [this](std::size_t at, auto value) {
    std::memcpy(&config_[at], &value, sizeof value);
  };
  put(kCapacityAt, disk_.size / kSector);
  put(kSegMaxAt, std::uint32_t{kQueueSize - 2});  // beside header and status
  put(kBlockSizeAt, std::uint32_t{kSector});
  if (disk_.read_only) return;
  put(kMaxDiscardSectorsAt, kDiscardSectorsMax);
  put(kMaxDiscardSegAt, kRangesMax);
  put(kDiscardAlignmentAt, std::uint32_t{8});  // most file systems' 4 KiB
  put(kMaxZeroesSectorsAt, kZeroesSectorsMax);
  put(kMaxZeroesSegAt, kRangesMax);
  put(kZeroesMayUnmapAt, std::uint8_t{1});
}

std::uint64_t VirtioBlock::features() const {
  constexpr std::uint64_t kBoth = kSegMax | kBlockSize | kFlush;
  return kBoth | (disk_.read_only ? kReadOnly : kDiscard | kWriteZeroes);
}

void VirtioBlock::read_config(std::uint64_t offset, std::span<std::uint8_t> data) const {
  copy_config(config_, offset, data);
}

Result<> VirtioBlock::serve(unsigned index) {
  return serve_each(index, chain_, [this](const Chain& chain) -> Result<std::uint32_t> {
    Request request{};
    // Without these nothing can be answered.
    if (!chain.readable.read_struct(0, request) || chain.writable.size() == 0)
      return fail({.what = "a driver breaks the rules of virtio block devices",
                   .where = fmt::format("descriptor {}", chain.head),
                   .why = "no header of 16 bytes, or no room for the status"});
    std::uint64_t written = 0;
    const auto status = static_cast<std::uint8_t>(handle(request, chain, written));
    chain.writable.write(chain.writable.size() - 1, {&status, 1});
    // What the driver may rely on is all from the first byte on: with a gap before the status,
    // only what comes before that.
    const bool gap = written + 1 != chain.writable.size();
    return static_cast<std::uint32_t>(gap ? written : written + 1);
  });
}

VirtioBlock::Outcome VirtioBlock::handle(const Request& request, const Chain& chain,
                                         std::uint64_t& written) const {
  switch (request.type) {
    case kIn:
      return read(request.sector, chain, written);
    case kOut:
      return write(request.sector, chain);
    case kFlushRequest:
      return flush();
    case kGetId:
      return get_id(chain, written);
    case kDiscardRequest:
      return ranges(chain, false);
    case kWriteZeroesRequest:
      return ranges(chain, true);
    default:
      return Outcome::unsupported;
  }
}

bool VirtioBlock::within(std::uint64_t sector, std::uint64_t bytes) const {
  const std::uint64_t capacity = disk_.size / kSector;
  return bytes % kSector == 0 && sector <= capacity && bytes / kSector <= capacity - sector;
}

VirtioBlock::Outcome VirtioBlock::read(std::uint64_t sector, const Chain& chain,
                                       std::uint64_t& written) const {
  const std::uint64_t size = chain.writable.size() - 1;  // all but the status
  if (!within(sector, size)) return Outcome::io_error;
  const bool done =
      whole(chain.writable.iovecs(0, size), sector * kSector,
            [this](std::span<iovec> into, off_t offset) {
              return ::preadv(disk_.fd.get(), into.data(), static_cast<int>(into.size()), offset);
            });
  if (!done) return Outcome::io_error;
  written = size;
  return Outcome::ok;
}

VirtioBlock::Outcome VirtioBlock::write(std::uint64_t sector, const Chain& chain) const {
  const std::uint64_t size = chain.readable.size() - sizeof(Request);
  if (disk_.read_only || !within(sector, size)) return Outcome::io_error;
  const bool done =
      whole(chain.readable.iovecs(sizeof(Request), size), sector * kSector,
            [this](std::span<iovec> from, off_t offset) {
              return ::pwritev(disk_.fd.get(), from.data(), static_cast<int>(from.size()), offset);
            });
  return done ? settled() : Outcome::io_error;
}

VirtioBlock::Outcome VirtioBlock::flush() const {
  return ::fdatasync(disk_.fd.get()) == 0 ? Outcome::ok : Outcome::io_error;
}

VirtioBlock::Outcome VirtioBlock::settled() const {
  return (transport().features() & kFlush) != 0 ? Outcome::ok : flush();
}

VirtioBlock::Outcome VirtioBlock::get_id(const Chain& chain, std::uint64_t& written) const {
  if (chain.writable.size() - 1 < kIdSize) return Outcome::io_error;
  std::array<std::uint8_t, kIdSize> id{};  // ends with a NUL if it is shorter
  std::copy_n(disk_.id.begin(), std::min(disk_.id.size(), kIdSize), id.begin());
  written = chain.writable.write(0, id);
  return Outcome::ok;
}

VirtioBlock::Outcome VirtioBlock::ranges(const Chain& chain, bool zeroes) const {
  const std::uint64_t size = chain.readable.size() - sizeof(Request);
  if (disk_.read_only) return Outcome::io_error;
  if (size == 0 || size % sizeof(Range) != 0 || size / sizeof(Range) > kRangesMax)
    return Outcome::unsupported;
  // Copied and checked before any of it is done.
  std::array<Range, kRangesMax> all{};
  const std::size_t count = static_cast<std::size_t>(size) / sizeof(Range);
  for (std::size_t i = 0; i < count; ++i) {
    chain.readable.read_struct(sizeof(Request) + i * sizeof(Range), all[i]);
    if ((all[i].flags & ~kUnmap) != 0 || (!zeroes && all[i].flags != 0))
      return Outcome::unsupported;  // 5.2.6.2
    if (all[i].sectors > (zeroes ? kZeroesSectorsMax : kDiscardSectorsMax) ||
        !within(all[i].sector, all[i].sectors * kSector))
      return Outcome::io_error;
  }
  for (const Range& range : std::span(all).first(count)) {
    const std::uint64_t offset = range.sector * kSector;
    const std::uint64_t length = range.sectors * kSector;
    if (length == 0) continue;
    const Outcome done = zeroes ? write_zeroes(offset, length, (range.flags & kUnmap) != 0)
                                : discard(offset, length);
    if (done != Outcome::ok) return done;
  }
  return settled();
}

VirtioBlock::Outcome VirtioBlock::discard(std::uint64_t offset, std::uint64_t length) const {
  // A hint: where it cannot be done, nothing is lost.
  if (::fallocate(disk_.fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                  static_cast<off_t>(offset), static_cast<off_t>(length)) == 0 ||
      errno == EOPNOTSUPP)
    return Outcome::ok;
  return Outcome::io_error;
}

VirtioBlock::Outcome VirtioBlock::write_zeroes(std::uint64_t offset, std::uint64_t length,
                                               bool unmap) const {
  const int mode = (unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) | FALLOC_FL_KEEP_SIZE;
  if (::fallocate(disk_.fd.get(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) ==
      0)
    return Outcome::ok;
  if (errno != EOPNOTSUPP) return Outcome::io_error;
  static const std::array<std::uint8_t, 65536> zeros{};
  std::vector<iovec> vectors;
  for (std::uint64_t left = length; left > 0;) {
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(left, zeros.size()));
    vectors.push_back({const_cast<std::uint8_t*>(zeros.data()), part});
    left -= part;
  }
  const bool done = whole(std::move(vectors), offset, [this](std::span<iovec> from, off_t at) {
    return ::pwritev(disk_.fd.get(), from.data(), static_cast<int>(from.size()), at);
  });
  return done ? Outcome::ok : Outcome::io_error;
}

}  // namespace vmctl
