// SPDX-License-Identifier: GPL-2.0
#include <lzma.h>

#include <string_view>
#include <vector>

#include "load/unpack_stream.hpp"

namespace vmctl {
namespace {

constexpr const char* kName = "xz";
constexpr std::uint64_t kMemory = 192 << 20;  // a dictionary of 128 MiB, as kernels have, and more

struct Decoder {
  lzma_stream stream = LZMA_STREAM_INIT;
  bool valid = ::lzma_stream_decoder(&stream, kMemory, LZMA_CONCATENATED) == LZMA_OK;

  Decoder() = default;
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;
  ~Decoder() { ::lzma_end(&stream); }
};

std::string_view reason(lzma_ret error) {
  switch (error) {
    case LZMA_MEM_ERROR:
      return "no memory to read it";
    case LZMA_MEMLIMIT_ERROR:
      return "a dictionary of more than 128M";
    case LZMA_FORMAT_ERROR:
      return "no xz header";
    case LZMA_OPTIONS_ERROR:
      return "options that are not known";
    default:
      return "data that are corrupt";
  }
}

}  // namespace

Result<> unpack_xz(PackedReader& in, UnpackedWriter& out) {
  Decoder decoder;
  if (!decoder.valid) return in.corrupt(kName, "no memory to read it");
  lzma_stream& stream = decoder.stream;
  std::vector<std::uint8_t> buffer(PackedReader::kBuffer);
  for (;;) {
    const auto bytes = TRY(in.peek());
    stream.next_in = bytes.data();
    stream.avail_in = bytes.size();
    stream.next_out = buffer.data();
    stream.avail_out = buffer.size();
    const lzma_ret done = ::lzma_code(&stream, bytes.size() == in.left() ? LZMA_FINISH : LZMA_RUN);
    in.skip(bytes.size() - stream.avail_in);
    TRY(out.put({buffer.data(), buffer.size() - stream.avail_out}));
    if (done == LZMA_STREAM_END) return {};
    if (done == LZMA_BUF_ERROR) return in.truncated(kName);
    if (done != LZMA_OK) return in.corrupt(kName, reason(done));
  }
}

}  // namespace vmctl
