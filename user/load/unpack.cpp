// SPDX-License-Identifier: GPL-2.0
#include "load/unpack.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "load/unpack_stream.hpp"

namespace vmctl {
namespace {

using namespace std::string_view_literals;

struct Row {
  Compression compression;
  std::string_view name;
  std::string_view magic;
  Result<> (*unpack)(PackedReader&, UnpackedWriter&);
};
constexpr std::array kRows{
    Row{Compression::gzip, "gzip", "\x1f\x8b\x08"sv, unpack_gzip},
    Row{Compression::xz, "xz", "\xfd\x37\x7a\x58\x5a\0"sv, unpack_xz},
    Row{Compression::zstd, "zstd", "\x28\xb5\x2f\xfd"sv, unpack_zstd},
    Row{Compression::lz4, "lz4", "\x04\x22\x4d\x18"sv, unpack_lz4},
    Row{Compression::lz4, "lz4", "\x02\x21\x4c\x18"sv, unpack_lz4},  // legacy
};
constexpr std::size_t kLongestMagic = 6;

const Row* row_of(std::span<const std::uint8_t> head) {
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  const auto* const row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& candidate) {
    return text.starts_with(candidate.magic);
  });
  return row == kRows.end() ? nullptr : row;
}

}  // namespace

std::string_view compression_name(Compression compression) {
  for (const Row& row : kRows)
    if (row.compression == compression) return row.name;
  return "";
}

std::optional<Compression> compression_of(std::span<const std::uint8_t> head) {
  const Row* row = row_of(head);
  if (row == nullptr) return std::nullopt;
  return row->compression;
}

Result<std::optional<Image>> unpack(const Source& source, std::uint64_t limit) {
  std::vector<std::uint8_t> head(std::min<std::uint64_t>(source.size(), kLongestMagic));
  TRY(source.read(0, head));
  const Row* row = row_of(head);
  if (row == nullptr) return std::nullopt;
  PackedReader in(source);
  UnpackedWriter out = TRY(UnpackedWriter::create(source, limit));
  TRY(row->unpack(in, out));
  return TRY(std::move(out).seal());
}

}  // namespace vmctl
