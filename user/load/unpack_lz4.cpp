// SPDX-License-Identifier: GPL-2.0
#include <lz4.h>
#include <lz4frame.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "load/unpack_stream.hpp"

namespace vmctl {
namespace {

constexpr const char* kName = "lz4";
constexpr std::uint32_t kFrame = 0x184d2204;
constexpr std::uint32_t kLegacyFrame = 0x184c2102;
constexpr int kLegacyBlock = 8 << 20;  // unpacked, at most

struct Free {
  void operator()(LZ4F_dctx* context) const { ::LZ4F_freeDecompressionContext(context); }
};

Result<> unpack_frame(PackedReader& in, UnpackedWriter& out) {
  LZ4F_dctx* made = nullptr;
  if (::LZ4F_isError(::LZ4F_createDecompressionContext(&made, LZ4F_VERSION)) != 0)
    return in.corrupt(kName, "no memory to read it");
  const std::unique_ptr<LZ4F_dctx, Free> context(made);
  std::vector<std::uint8_t> buffer(PackedReader::kBuffer);
  for (;;) {
    const auto bytes = TRY(in.peek());
    std::size_t used = bytes.size();
    std::size_t made_bytes = buffer.size();
    const std::size_t done =
        ::LZ4F_decompress(context.get(), buffer.data(), &made_bytes, bytes.data(), &used, nullptr);
    if (::LZ4F_isError(done) != 0) return in.corrupt(kName, ::LZ4F_getErrorName(done));
    in.skip(used);
    TRY(out.put({buffer.data(), made_bytes}));
    if (done == 0) return {};
    if (used == 0 && made_bytes == 0) return in.truncated(kName);
  }
}

// Its magic, then blocks, each with its size before it, up to the end or another frame's magic.
Result<> unpack_legacy_frame(PackedReader& in, UnpackedWriter& out) {
  std::vector<std::uint8_t> packed;
  std::vector<std::uint8_t> unpacked(kLegacyBlock);
  in.skip(sizeof kLegacyFrame);
  while (in.left() > 0) {
    const auto head = TRY(in.peek(sizeof(std::uint32_t)));
    if (head.size() < sizeof(std::uint32_t)) return in.truncated(kName);
    const std::uint64_t size = little_endian(head.first(sizeof(std::uint32_t)));
    if (size == kFrame || size == kLegacyFrame) return {};
    if (size > static_cast<std::uint64_t>(LZ4_compressBound(kLegacyBlock)))
      return in.corrupt(kName, "a block larger than one of 8M can be");
    in.skip(sizeof(std::uint32_t));
    if (size > in.left()) return in.truncated(kName);
    packed.resize(size);
    TRY(in.take(kName, packed));
    const int made = ::LZ4_decompress_safe(reinterpret_cast<const char*>(packed.data()),
                                           reinterpret_cast<char*>(unpacked.data()),
                                           static_cast<int>(size), kLegacyBlock);
    if (made < 0) return in.corrupt(kName, "a block ends here that is corrupt");
    TRY(out.put({unpacked.data(), static_cast<std::size_t>(made)}));
  }
  return {};
}

}  // namespace

Result<> unpack_lz4(PackedReader& in, UnpackedWriter& out) {
  do {
    const auto head = TRY(in.peek(sizeof(std::uint32_t)));
    const bool legacy = head.size() >= sizeof(std::uint32_t) &&
                        little_endian(head.first(sizeof(std::uint32_t))) == kLegacyFrame;
    TRY(legacy ? unpack_legacy_frame(in, out) : unpack_frame(in, out));
  } while (in.left() > 0);
  return {};
}

}  // namespace vmctl
