// SPDX-License-Identifier: GPL-2.0
#include "load/unpack.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "load/unpack_stream.hpp"

namespace vmctl {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kEnough = 64 << 20;

Bytes gzip(const Bytes& plain) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes packed(deflateBound(&stream, plain.size()));
  stream.next_in = const_cast<std::uint8_t*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Bytes zstd(const Bytes& plain) {
  Bytes packed(ZSTD_compressBound(plain.size()));
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  packed.resize(ZSTD_compress2(context, packed.data(), packed.size(), plain.data(), plain.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

Bytes xz(const Bytes& plain) {
  Bytes packed(lzma_stream_buffer_bound(plain.size()));
  std::size_t size = 0;
  EXPECT_EQ(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, nullptr, plain.data(), plain.size(),
                                    packed.data(), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

Bytes lz4(const Bytes& plain) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
  Bytes packed(LZ4F_compressFrameBound(plain.size(), &preferences));
  packed.resize(
      LZ4F_compressFrame(packed.data(), packed.size(), plain.data(), plain.size(), &preferences));
  return packed;
}

void put_u32(Bytes& bytes, std::size_t value) {
  for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

Bytes lz4_legacy(const Bytes& plain) {
  constexpr std::size_t kBlock = 8 << 20;
  Bytes packed;
  put_u32(packed, 0x184c2102);
  for (std::size_t at = 0; at < plain.size(); at += kBlock) {
    const std::size_t size = std::min(kBlock, plain.size() - at);
    std::vector<char> block(static_cast<std::size_t>(LZ4_compressBound(static_cast<int>(size))));
    block.resize(static_cast<std::size_t>(
        LZ4_compress_default(reinterpret_cast<const char*>(plain.data()) + at, block.data(),
                             static_cast<int>(size), static_cast<int>(block.size()))));
    put_u32(packed, block.size());
    packed.insert(packed.end(), block.begin(), block.end());
  }
  return packed;
}

Bytes joined(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// Some that compress and some that do not, more than any buffer.
Bytes sample(std::size_t size) {
  std::mt19937 random(1);
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i)
    bytes[i] = static_cast<std::uint8_t>(i / 4096 % 2 == 0 ? random() : i / 512);
  return bytes;
}

Bytes content(const Image& image) {
  Bytes bytes(image.size());
  EXPECT_TRUE(image.read(0, bytes));
  return bytes;
}

Result<std::optional<Image>> unpacked(const Bytes& packed, std::uint64_t limit = kEnough) {
  return unpack(MemorySource(packed, "packed"), limit);
}

struct Format {
  const char* name;
  Bytes (*pack)(const Bytes&);
  Compression compression;
};

class Unpack : public testing::TestWithParam<Format> {
 protected:
  Bytes pack(const Bytes& plain) const { return GetParam().pack(plain); }
};

INSTANTIATE_TEST_SUITE_P(Load, Unpack,
                         testing::Values(Format{"gzip", gzip, Compression::gzip},
                                         Format{"xz", xz, Compression::xz},
                                         Format{"zstd", zstd, Compression::zstd},
                                         Format{"lz4", lz4, Compression::lz4},
                                         Format{"lz4_legacy", lz4_legacy, Compression::lz4}),
                         [](const auto& tested) { return tested.param.name; });

TEST_P(Unpack, GivesWhatWasPacked) {
  for (const std::size_t size : {1, 65536, 65537, 300000}) {
    const Bytes plain = sample(size);
    const auto image = unpacked(pack(plain));
    ASSERT_TRUE(image) << image.error().text();
    ASSERT_TRUE(image->has_value());
    EXPECT_TRUE(content(**image) == plain) << size;
    EXPECT_EQ((*image)->path(), "packed");
  }
}

TEST_P(Unpack, IsRecognisedByItsFirstBytes) {
  const Bytes packed = pack(sample(10));
  EXPECT_EQ(compression_of(packed), GetParam().compression);
  EXPECT_EQ(compression_of(std::span(packed).first(6)), GetParam().compression);
  EXPECT_EQ(compression_of(std::span(packed).first(2)), std::nullopt);
}

TEST_P(Unpack, NobodyCanChangeItAfterwards) {
  const auto image = unpacked(pack(sample(10)));
  ASSERT_TRUE(image && *image);
  const std::uint8_t byte = 0;
  EXPECT_EQ(::pwrite((*image)->fd().get(), &byte, 1, 0), -1);
  EXPECT_EQ(::ftruncate((*image)->fd().get(), 1), -1);
  EXPECT_EQ(::ftruncate((*image)->fd().get(), 100), -1);
}

TEST_P(Unpack, AllOfSeveralParts) {
  const Bytes first = sample(100000);
  const Bytes second = sample(7);
  const auto image = unpacked(joined(joined(pack(first), pack(second)), pack(first)));
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_TRUE(content(**image) == joined(joined(first, second), first));
}

TEST_P(Unpack, WhatIsPackedTwiceIsUnpackedOnce) {
  const Bytes once = gzip(sample(1000));
  const auto image = unpacked(pack(once));
  ASSERT_TRUE(image && *image);
  EXPECT_TRUE(content(**image) == once);
}

TEST_P(Unpack, UpToTheLimitAndNoFurther) {
  const Bytes packed = pack(Bytes(1 << 20));
  EXPECT_TRUE(unpacked(packed, 1 << 20));
  const auto image = unpacked(packed, (1 << 20) - 1);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().status, Status::bad_image);
  EXPECT_EQ(image.error().where, "packed");
  EXPECT_EQ(image.error().why,
            "it has become 1048576 bytes, and goes on; allowed: at most 1048575");
  EXPECT_FALSE(unpacked(packed, 0));
}

TEST_P(Unpack, NothingIsNoImage) {
  // An empty lz4 frame of the old kind is its magic alone.
  const auto image = unpacked(pack({}));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().why, "it unpacks to nothing");
}

TEST_P(Unpack, TruncatedAnywhere) {
  const Bytes packed = pack(sample(20000));
  for (std::size_t size = 6; size < packed.size(); size += 1 + size / 7) {
    const auto image = unpacked({packed.begin(), packed.begin() + static_cast<long>(size)});
    ASSERT_FALSE(image) << size;
    EXPECT_EQ(image.error().status, Status::bad_image);
    EXPECT_NE(image.error().where.find(" stream at offset 0x"), std::string::npos)
        << image.error().where;
    EXPECT_NE(image.error().why.find("the file ends in the midst of it"), std::string::npos)
        << image.error().why;
  }
}

TEST_P(Unpack, SomethingElseBehindIt) {
  const Bytes packed = pack(sample(1000));
  const auto image = unpacked(joined(packed, Bytes(64, 0xaa)));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().status, Status::bad_image) << image.error().text();
}

TEST_P(Unpack, DamagedItIsRefusedOrIsTheSame) {
  const Bytes plain = sample(20000);
  const Bytes packed = pack(plain);
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    Bytes damaged = packed;
    damaged[random() % damaged.size()] ^= static_cast<std::uint8_t>(1 + random() % 255);
    const auto image = unpacked(damaged);
    // Legacy lz4 has no check of its content; without its magic it is another file.
    if (!image || !*image || std::string_view(GetParam().name) == "lz4_legacy") continue;
    EXPECT_TRUE(content(**image) == plain);
  }
}

TEST(UnpackFile, OtherFilesAreNotTouched) {
  for (const Bytes& plain :
       {Bytes{0x7f, 'E', 'L', 'F'}, Bytes{0x1f}, Bytes{0x1f, 0x8b, 0}, Bytes{}}) {
    const auto image = unpacked(plain);
    ASSERT_TRUE(image);
    EXPECT_FALSE(image->has_value());
  }
}

TEST(UnpackFile, NamesOfCompressions) {
  EXPECT_EQ(compression_name(Compression::gzip), "gzip");
  EXPECT_EQ(compression_name(Compression::xz), "xz");
  EXPECT_EQ(compression_name(Compression::zstd), "zstd");
  EXPECT_EQ(compression_name(Compression::lz4), "lz4");
}

TEST(UnpackFile, ZerosBehindGzipArePadding) {
  const Bytes plain = sample(1000);
  const Bytes packed = joined(gzip(plain), Bytes(PackedReader::kBuffer + 100));
  const auto image = unpacked(joined(packed, gzip(plain)));
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_TRUE(content(**image) == joined(plain, plain));
  EXPECT_TRUE(unpacked(packed));
  EXPECT_FALSE(unpacked(joined(packed, Bytes{0xaa})));
}

TEST(UnpackFile, Lz4FramesOfBothKindsInOneFile) {
  const Bytes plain = sample(100000);
  for (const Bytes& packed :
       {joined(lz4(plain), lz4_legacy(plain)), joined(lz4_legacy(plain), lz4(plain))}) {
    const auto image = unpacked(packed);
    ASSERT_TRUE(image) << image.error().text();
    EXPECT_TRUE(content(**image) == joined(plain, plain));
  }
}

TEST(UnpackFile, SeveralBlocksOfALegacyLz4Frame) {
  const Bytes plain((17 << 20) + 5, 'x');
  const auto image = unpacked(lz4_legacy(plain));
  ASSERT_TRUE(image) << image.error().text();
  EXPECT_TRUE(content(**image) == plain);
}

TEST(UnpackFile, ALegacyLz4BlockThatIsTooLarge) {
  Bytes packed;
  put_u32(packed, 0x184c2102);
  put_u32(packed, 0x7fffffff);
  const auto image = unpacked(packed);
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().where, "packed, lz4 stream at offset 0x4");
  EXPECT_TRUE(image.error().why.starts_with("a block larger than one of 8M can be"));
}

// Its dictionary would be larger than the library's limit.
TEST(UnpackFile, AZstdWindowThatIsTooLarge) {
  const Bytes packed{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00};
  const auto image = unpacked(packed);
  ASSERT_FALSE(image);
  EXPECT_NE(image.error().why.find("Frame requires too much memory"), std::string::npos)
      << image.error().why;
}

}  // namespace
}  // namespace vmctl
