// SPDX-License-Identifier: GPL-2.0
#include <zlib.h>

#include <algorithm>
#include <vector>

#include "load/unpack_stream.hpp"

namespace vmctl {
namespace {

constexpr const char* kName = "gzip";
constexpr int kGzip = 16 + MAX_WBITS;  // only with gzip's header and check

struct Inflater {
  z_stream stream{};
  bool valid = ::inflateInit2(&stream, kGzip) == Z_OK;

  Inflater() = default;
  Inflater(const Inflater&) = delete;  // the library keeps its address
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream); }
};

Result<> unpack_member(PackedReader& in, UnpackedWriter& out, z_stream& stream,
                       std::vector<std::uint8_t>& buffer) {
  for (int done = Z_OK; done != Z_STREAM_END;) {
    const auto bytes = TRY(in.peek());
    stream.next_in = const_cast<std::uint8_t*>(bytes.data());  // it only reads them
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = buffer.data();
    stream.avail_out = static_cast<uInt>(buffer.size());
    done = ::inflate(&stream, Z_NO_FLUSH);
    in.skip(bytes.size() - stream.avail_in);
    TRY(out.put({buffer.data(), buffer.size() - stream.avail_out}));
    if (done == Z_BUF_ERROR) return in.truncated(kName);  // nothing more comes in, or goes out
    if (done != Z_OK && done != Z_STREAM_END)
      return in.corrupt(kName, stream.msg != nullptr ? stream.msg : "not to be read");
  }
  return {};
}

// Zeros behind a member, to the end of a block of a tape or disk; gzip passes over them, too.
Result<> skip_padding(PackedReader& in) {
  while (in.left() > 0) {
    const auto bytes = TRY(in.peek());
    const auto other =
        std::find_if(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; });
    in.skip(static_cast<std::size_t>(other - bytes.begin()));
    if (other != bytes.end()) break;
  }
  return {};
}

}  // namespace

Result<> unpack_gzip(PackedReader& in, UnpackedWriter& out) {
  Inflater inflater;
  std::vector<std::uint8_t> buffer(PackedReader::kBuffer);
  if (!inflater.valid) return in.corrupt(kName, "no memory to read it");
  do {
    ::inflateReset(&inflater.stream);
    TRY(unpack_member(in, out, inflater.stream, buffer));
    TRY(skip_padding(in));
  } while (in.left() > 0);
  return {};
}

}  // namespace vmctl
