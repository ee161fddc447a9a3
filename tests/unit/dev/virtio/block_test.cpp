// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/block.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_transport.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint64_t kSectors = 64;
constexpr std::uint64_t kFlush = 1U << 9;
constexpr std::uint64_t kHeader = 0x7000;  // where requests have their parts
constexpr std::uint64_t kData = 0x8000;
constexpr std::uint64_t kStatusByte = 0x7100;

class BlockTest : public testing::Test {
 protected:
  explicit BlockTest(bool read_only = false)
      : file(::memfd_create("disk", 0)),
        block({.fd = Fd(::dup(file.get())),
               .size = kSectors * 512,
               .read_only = read_only,
               .id = "an-id"}) {
    EXPECT_EQ(::ftruncate(file.get(), kSectors * 512), 0);
    block.attach(transport);
    transport.negotiated |= kFlush;
    transport.queues.emplace(0, Virtqueue::make(memory, ring.place()).value());
  }
  void header(std::uint32_t type, std::uint64_t sector) {
    ring.put(kHeader, type);
    ring.put(kHeader + 4, 0U);
    ring.put(kHeader + 8, sector);
    ring.put(kStatusByte, std::uint8_t{0xee});
  }
  // Serves what was put into the ring; the status.
  unsigned serve() {
    const auto done = block.serve(0);
    EXPECT_TRUE(done) << done.error().text();
    return ring.get<std::uint8_t>(kStatusByte);
  }
  unsigned request(std::uint32_t type, std::uint64_t sector, std::uint32_t length = 0,
                   bool write = false) {
    header(type, sector);
    if (length > 0)
      ring.chain(0, {{kHeader, 16}, {kData, length, write}, {kStatusByte, 1, true}});
    else
      ring.chain(0, {{kHeader, 16}, {kStatusByte, 1, true}});
    return serve();
  }
  unsigned read(std::uint64_t sector, std::uint32_t length) {
    return request(0, sector, length, true);
  }
  unsigned write(std::uint64_t sector, std::uint32_t length) { return request(1, sector, length); }
  unsigned ranges(std::uint32_t type, std::uint64_t sector, std::uint32_t sectors,
                  std::uint32_t flags = 0) {
    ring.put(kData, sector);
    ring.put(kData + 8, sectors);
    ring.put(kData + 12, flags);
    return request(type, 0, 16);
  }
  std::uint32_t used_length() {
    return ring.used_length(static_cast<unsigned>(ring.used_index() - 1) % ring.size);
  }
  std::string on_disk(std::uint64_t sector) {
    std::string text(512, '\0');
    EXPECT_EQ(::pread(file.get(), text.data(), text.size(), static_cast<off_t>(sector * 512)), 512);
    return text;
  }
  template <class T>
  T config(std::uint64_t offset) {
    T value{};
    block.read_config(offset, {reinterpret_cast<std::uint8_t*>(&value), sizeof value});
    return value;
  }

  Fd file;
  GuestMemory memory = guest_memory();
  Ring ring{memory, 8};
  FakeTransport transport;
  VirtioBlock block;
};

class ReadOnlyBlockTest : public BlockTest {
 protected:
  ReadOnlyBlockTest() : BlockTest(true) {}
};

TEST_F(BlockTest, SaysWhatItIs) {
  EXPECT_EQ(block.type(), 2);
  EXPECT_EQ(block.features(), 1U << 2 | 1U << 6 | 1U << 9 | 1U << 13 | 1U << 14);
  EXPECT_EQ(config<std::uint64_t>(0), kSectors);
  EXPECT_EQ(config<std::uint32_t>(12), 126U) << "segments, beside header and status";
  EXPECT_EQ(config<std::uint32_t>(20), 512U);
  EXPECT_EQ(config<std::uint32_t>(36), 1U << 22);
  EXPECT_EQ(config<std::uint32_t>(40), 16U);
  EXPECT_EQ(config<std::uint32_t>(48), 1U << 15);
  EXPECT_EQ(config<std::uint8_t>(56), 1);
  EXPECT_EQ(config<std::uint64_t>(60), 0U);
  EXPECT_EQ(config<std::uint64_t>(~std::uint64_t{0}), 0U);
}

TEST_F(BlockTest, WritesAndReads) {
  ring.text(kData, std::string(512, 'a') + std::string(512, 'b'));
  EXPECT_EQ(write(3, 1024), 0U);
  EXPECT_EQ(used_length(), 1U) << "the status";
  EXPECT_EQ(on_disk(3), std::string(512, 'a'));
  EXPECT_EQ(on_disk(4), std::string(512, 'b'));
  EXPECT_EQ(on_disk(2) + on_disk(5), std::string(1024, '\0'));
  ring.text(kData, std::string(512, 'x'));
  EXPECT_EQ(read(4, 512), 0U);
  EXPECT_EQ(used_length(), 513U);
  EXPECT_EQ(ring.text_at(kData, 512), std::string(512, 'b'));
  EXPECT_EQ(transport.interrupts, 2);
}

TEST_F(BlockTest, TheDriverMayCutARequestAsItLikes) {
  ring.text(kData, std::string(512, 'z'));
  header(1, 1);
  ring.chain(
      0,
      {{kHeader, 7}, {kHeader + 7, 9}, {kData, 100}, {kData + 100, 412}, {kStatusByte, 1, true}});
  EXPECT_EQ(serve(), 0U);
  EXPECT_EQ(on_disk(1), std::string(512, 'z'));
  header(1, 2);
  ring.put(kHeader + 16, std::uint8_t{'q'});
  ring.text(kHeader + 16, std::string(100, 'q'));
  ring.chain(0, {{kHeader, 116}, {kData, 412}, {kStatusByte, 1, true}});
  EXPECT_EQ(serve(), 0U);
  EXPECT_EQ(on_disk(2), std::string(100, 'q') + std::string(412, 'z'));
  // Data and status in one piece.
  header(0, 2);
  ring.chain(0, {{kHeader, 16}, {kData, 513, true}});
  EXPECT_EQ(serve(), 0xeeU);
  EXPECT_EQ(ring.get<std::uint8_t>(kData + 512), 0);
  EXPECT_EQ(ring.text_at(kData, 100), std::string(100, 'q'));
}

TEST_F(BlockTest, StaysWithinTheDisk) {
  EXPECT_EQ(read(kSectors - 1, 512), 0U);
  EXPECT_EQ(read(kSectors - 1, 1024), 1U);
  EXPECT_EQ(used_length(), 0U) << "nothing was written before the status";
  EXPECT_EQ(read(kSectors, 512), 1U);
  EXPECT_EQ(read(~std::uint64_t{0}, 512), 1U);
  EXPECT_EQ(read(1ULL << 55, 512), 1U);
  EXPECT_EQ(write(kSectors, 512), 1U);
  EXPECT_EQ(write(kSectors - 1, 1024), 1U);
  EXPECT_EQ(read(0, 511), 1U);
  EXPECT_EQ(write(0, 513), 1U);
}

TEST_F(BlockTest, ErrorsOfTheFileAreTheDrivers) {
  EXPECT_EQ(::ftruncate(file.get(), 512), 0);
  EXPECT_EQ(read(0, 512), 0U);
  EXPECT_EQ(read(1, 512), 1U) << "the file has become shorter";
}

TEST_F(BlockTest, GivesItsId) {
  EXPECT_EQ(request(8, 0, 20, true), 0U);
  EXPECT_EQ(ring.text_at(kData, 20), std::string("an-id") + std::string(15, '\0'));
  EXPECT_EQ(used_length(), 21U);
  EXPECT_EQ(request(8, 0, 19, true), 1U);
}

TEST_F(BlockTest, DoesNotKnowOtherRequests) {
  for (const std::uint32_t type : {2U, 3U, 5U, 7U, 9U, 10U, 14U, 0x80000000U})
    EXPECT_EQ(request(type, 0), 2U) << type;
  EXPECT_EQ(request(4, 0), 0U) << "a flush";
}

TEST_F(BlockTest, DiscardsAndWritesZeroes) {
  ring.text(kData, std::string(4096, 'a'));
  for (const std::uint64_t sector : {0, 8, 16}) EXPECT_EQ(write(sector, 4096), 0U);
  EXPECT_EQ(ranges(11, 8, 8), 0U);
  EXPECT_EQ(on_disk(7), std::string(512, 'a'));
  EXPECT_EQ(on_disk(8), std::string(512, '\0'));
  EXPECT_EQ(on_disk(15), std::string(512, '\0'));
  EXPECT_EQ(on_disk(16), std::string(512, 'a'));
  EXPECT_EQ(ranges(13, 1, 1), 0U);
  EXPECT_EQ(ranges(13, 3, 2, 1), 0U) << "with unmap";
  EXPECT_EQ(on_disk(0), std::string(512, 'a'));
  EXPECT_EQ(on_disk(1), std::string(512, '\0'));
  EXPECT_EQ(on_disk(2), std::string(512, 'a'));
  EXPECT_EQ(on_disk(3) + on_disk(4), std::string(1024, '\0'));
  EXPECT_EQ(on_disk(5), std::string(512, 'a'));
  EXPECT_EQ(ranges(11, 0, 0), 0U) << "nothing";
}

TEST_F(BlockTest, RangesAreCheckedBeforeAnyIsDone) {
  ring.text(kData, std::string(512, 'a'));
  EXPECT_EQ(write(0, 512), 0U);
  EXPECT_EQ(ranges(11, 0, 1, 1), 2U) << "unmap of a discard";
  EXPECT_EQ(ranges(13, 0, 1, 2), 2U) << "a flag that there is not";
  EXPECT_EQ(ranges(13, kSectors, 1), 1U);
  EXPECT_EQ(ranges(11, 1, kSectors), 1U);
  EXPECT_EQ(ranges(11, ~std::uint64_t{0}, 2), 1U);
  EXPECT_EQ(request(11, 0, 15), 2U);
  EXPECT_EQ(request(11, 0), 2U) << "none";
  EXPECT_EQ(request(11, 0, 17 * 16), 2U) << "too many";
  ring.put(kData, std::uint64_t{0});
  ring.put(kData + 8, 1U);
  ring.put(kData + 12, 0U);
  ring.put(kData + 16, kSectors);
  ring.put(kData + 24, 1U);
  ring.put(kData + 28, 0U);
  EXPECT_EQ(request(11, 0, 32), 1U) << "the second is bad";
  EXPECT_EQ(on_disk(0), std::string(512, 'a'));
}

TEST_F(BlockTest, WithoutHeaderOrRoomForTheStatusItIsBroken) {
  header(0, 0);
  ring.chain(0, {{kHeader, 15}, {kStatusByte, 1, true}});
  EXPECT_FALSE(block.serve(0));
  ring.chain(0, {{kHeader, 16}});
  EXPECT_FALSE(block.serve(0));
}

TEST_F(BlockTest, OthersGetTheirTurnWhenTheQueueWasFull) {
  header(4, 0);
  for (unsigned i = 0; i < 4; ++i)
    ring.chain(static_cast<std::uint16_t>(2 * i), {{kHeader, 16}, {kStatusByte, 1, true}});
  EXPECT_TRUE(block.serve(0));
  EXPECT_EQ(ring.used_index(), 4);
  EXPECT_EQ(transport.agains, 0);
  EXPECT_TRUE(block.serve(1)) << "no such queue";
}

TEST_F(ReadOnlyBlockTest, IsNotWritten) {
  EXPECT_EQ(block.features(), 1U << 2 | 1U << 5 | 1U << 6 | 1U << 9);
  ring.text(kData, std::string(512, 'a'));
  EXPECT_EQ(write(0, 512), 1U);
  EXPECT_EQ(ranges(11, 0, 1), 1U);
  EXPECT_EQ(ranges(13, 0, 1), 1U);
  EXPECT_EQ(on_disk(0), std::string(512, '\0'));
  EXPECT_EQ(read(0, 512), 0U);
  EXPECT_EQ(config<std::uint32_t>(36), 0U);
}

// What is written to /dev/null is gone, but it cannot be flushed: so it is seen who does.
TEST(BlockFlush, EveryWriteOfADriverThatCannot) {
  GuestMemory memory = guest_memory();
  Ring ring(memory, 8);
  FakeTransport transport;
  VirtioBlock block({.fd = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC)), .size = 512});
  ASSERT_TRUE(block.features() & kFlush);
  block.attach(transport);
  transport.queues.emplace(0, Virtqueue::make(memory, ring.place()).value());
  const auto status = [&](std::uint32_t type) {
    ring.put(kHeader, type);
    ring.put(kHeader + 8, std::uint64_t{0});
    ring.chain(0, {{kHeader, 16}, {kData, 512}, {kStatusByte, 1, true}});
    EXPECT_TRUE(block.serve(0));
    return ring.get<std::uint8_t>(kStatusByte);
  };
  ring.text(kData, std::string(512, 'a'));
  EXPECT_EQ(status(4), 1) << "it cannot be flushed";
  transport.negotiated = kVirtioVersion1 | kFlush;
  EXPECT_EQ(status(1), 0);
  transport.negotiated = kVirtioVersion1;
  EXPECT_EQ(status(1), 1);
}

}  // namespace
}  // namespace vmctl
