// SPDX-License-Identifier: GPL-2.0
// Images that were compressed as a whole: vmlinux.gz, kernel.elf.zst.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.hpp"
#include "load/image.hpp"
#include "load/source.hpp"

namespace vmctl {

enum class Compression : std::uint8_t { gzip, xz, zstd, lz4 };

// "gzip"
std::string_view compression_name(Compression compression);

// By the first bytes of a file: six are enough. Nothing: none of these.
std::optional<Compression> compression_of(std::span<const std::uint8_t> head);

// What is in the file, in memory and sealed, by the source's path; nothing if it is not compressed.
// What is compressed twice comes out compressed once. `limit` is in bytes, as large as anything
// that the guest can be given. bad_image, with the offset in the compressed file: truncated,
// corrupt, or larger than the limit; internal: no memory.
Result<std::optional<Image>> unpack(const Source& source, std::uint64_t limit);

}  // namespace vmctl
