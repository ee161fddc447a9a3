// SPDX-License-Identifier: GPL-2.0
#include <zstd.h>

#include <memory>
#include <vector>

#include "load/unpack_stream.hpp"

namespace vmctl {
namespace {

constexpr const char* kName = "zstd";

struct Free {
  void operator()(ZSTD_DStream* stream) const { ::ZSTD_freeDStream(stream); }
};

}  // namespace

// A window of at most 128 MiB, which is the library's own limit.
Result<> unpack_zstd(PackedReader& in, UnpackedWriter& out) {
  const std::unique_ptr<ZSTD_DStream, Free> stream(::ZSTD_createDStream());
  if (!stream) return in.corrupt(kName, "no memory to read it");
  std::vector<std::uint8_t> buffer(PackedReader::kBuffer);
  for (;;) {
    const auto bytes = TRY(in.peek());
    ZSTD_inBuffer from{.src = bytes.data(), .size = bytes.size(), .pos = 0};
    ZSTD_outBuffer to{.dst = buffer.data(), .size = buffer.size(), .pos = 0};
    const std::size_t done = ::ZSTD_decompressStream(stream.get(), &to, &from);
    in.skip(from.pos);
    if (::ZSTD_isError(done) != 0) return in.corrupt(kName, ::ZSTD_getErrorName(done));
    TRY(out.put({buffer.data(), to.pos}));
    if (done == 0 && in.left() == 0) return {};  // at the end of a frame
    if (from.pos == 0 && to.pos == 0) return in.truncated(kName);
  }
}

}  // namespace vmctl
