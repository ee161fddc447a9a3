// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/queue.hpp"

#include <gtest/gtest.h>

#include <array>

#include "ring.hpp"

namespace vmctl {
namespace {

using namespace test;

class QueueTest : public testing::Test {
 protected:
  Virtqueue make(bool indirect = true, bool event_index = false) {
    return Virtqueue::make(memory, ring.place(indirect, event_index)).value();
  }
  // Why pop() fails; empty if it does not.
  std::string complaint(bool indirect = true) {
    Virtqueue queue = make(indirect);
    const auto popped = queue.pop(chain);
    return popped ? "" : popped.error().text();
  }
  std::string readable() const {
    std::string text(chain.readable.size(), '\0');
    chain.readable.read(0, {reinterpret_cast<std::uint8_t*>(text.data()), text.size()});
    return text;
  }
  GuestMemory memory = guest_memory();
  Ring ring{memory};
  Chain chain;
};

TEST_F(QueueTest, RefusesSizesThatAreNone) {
  for (const unsigned size : {0U, 3U, 6U, 32769U, 65535U}) {
    Virtqueue::Place place = ring.place();
    place.size = static_cast<std::uint16_t>(size);
    EXPECT_FALSE(Virtqueue::make(memory, place)) << size;
  }
  for (const unsigned size : {1U, 2U, 4096U}) {
    Virtqueue::Place place = Ring(memory, static_cast<std::uint16_t>(size)).place();
    EXPECT_TRUE(Virtqueue::make(memory, place)) << size;
  }
}

TEST_F(QueueTest, RefusesRingsThatAreNotAlignedOrNotInMemory) {
  const std::uint64_t end = 1 << 20;
  const auto made = [&](auto change) {
    Virtqueue::Place place = ring.place();
    change(place);
    return Virtqueue::make(memory, place).has_value();
  };
  using Place = Virtqueue::Place;
  EXPECT_FALSE(made([](Place& place) { place.descriptors.value += 8; }));
  EXPECT_FALSE(made([](Place& place) { place.available.value += 1; }));
  EXPECT_FALSE(made([](Place& place) { place.used.value += 2; }));
  EXPECT_TRUE(made([&](Place& place) { place.descriptors.value = end - 64; }));
  EXPECT_FALSE(made([&](Place& place) { place.descriptors.value = end - 48; }));
  EXPECT_TRUE(made([&](Place& place) { place.available.value = end - 14; }));
  EXPECT_FALSE(made([&](Place& place) { place.available.value = end - 12; }));
  EXPECT_TRUE(made([&](Place& place) { place.used.value = end - 40; }));
  EXPECT_FALSE(made([&](Place& place) { place.used.value = end - 36; }));
  EXPECT_FALSE(made([](Place& place) { place.used.value = ~std::uint64_t{3}; }));
}

TEST_F(QueueTest, GivesChainsInTheirOrderAndThenNone) {
  Virtqueue queue = make();
  EXPECT_FALSE(queue.pop(chain).value());
  ring.text(Ring::kData, "abcdef");
  ring.chain(2, {{Ring::kData, 2}, {Ring::kData + 4, 2}});
  ring.chain(0, {{Ring::kData + 2, 1}, {Ring::kData + 0x100, 7, true}});
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.head, 2);
  EXPECT_EQ(readable(), "abef");
  EXPECT_EQ(chain.writable.size(), 0U);
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.head, 0);
  EXPECT_EQ(readable(), "c");
  EXPECT_EQ(chain.writable.size(), 7U);
  EXPECT_FALSE(queue.pop(chain).value());
}

TEST_F(QueueTest, TakesAChainBackOnce) {
  Virtqueue queue = make();
  ring.chain(1, {{Ring::kData, 2}});
  ASSERT_TRUE(queue.pop(chain).value());
  queue.unpop();
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_EQ(chain.head, 1);
  EXPECT_FALSE(queue.pop(chain).value());
}

TEST_F(QueueTest, GoesRoundItsRings) {
  Virtqueue queue = make();
  ring.put(ring.available() + 2, std::uint16_t{0});
  for (unsigned round = 0; round < 70000; ++round) {
    ring.chain(static_cast<std::uint16_t>(round % 4), {{Ring::kData, 1}});
    ASSERT_TRUE(queue.pop(chain).value()) << round;
    ASSERT_EQ(chain.head, round % 4);
    queue.push(chain, round);
    ASSERT_EQ(ring.used_index(), static_cast<std::uint16_t>(round + 1));
    ASSERT_EQ(ring.used_id(round % 4), round % 4);
    ASSERT_EQ(ring.used_length(round % 4), round);
  }
}

TEST_F(QueueTest, MoreEntriesThanTheQueueHoldsBreakIt) {
  ring.descriptor(0, Ring::kData, 1);
  ring.put(ring.available() + 2, std::uint16_t{4});
  EXPECT_EQ(complaint(), "");
  ring.put(ring.available() + 2, std::uint16_t{5});
  EXPECT_NE(complaint(), "");
  ring.put(ring.available() + 2, std::uint16_t{0xffff});
  EXPECT_NE(complaint(), "");
}

TEST_F(QueueTest, DescriptorsThatAreNotThereBreakIt) {
  ring.offer(4);
  EXPECT_NE(complaint(), "");
  ring = Ring(memory);
  ring.descriptor(3, Ring::kData, 1, kNext, 4);
  ring.offer(3);
  EXPECT_NE(complaint(), "");
  ring = Ring(memory);
  ring.descriptor(3, Ring::kData, 1, 0, 4);  // the next does not count
  ring.offer(3);
  EXPECT_EQ(complaint(), "");
}

TEST_F(QueueTest, AChainMayBeAsLongAsTheQueueAndNoLonger) {
  for (std::uint16_t i = 0; i < 3; ++i)
    ring.descriptor(i, Ring::kData, 1, kNext, static_cast<std::uint16_t>(i + 1));
  ring.descriptor(3, Ring::kData, 1);
  ring.offer(0);
  EXPECT_EQ(complaint(), "");
  EXPECT_EQ(chain.readable.size(), 4U);
  ring.descriptor(3, Ring::kData, 1, kNext, 0);  // a loop
  EXPECT_NE(complaint(), "");
  ring.descriptor(0, Ring::kData, 0, kNext, 0);  // of nothing
  EXPECT_NE(complaint(), "");
}

TEST_F(QueueTest, WhatIsReadComesBeforeWhatIsWritten) {
  ring.chain(0, {{Ring::kData, 1, true}, {Ring::kData, 1, true}});
  EXPECT_EQ(complaint(), "");
  ring = Ring(memory);
  ring.chain(0, {{Ring::kData, 1, true}, {Ring::kData, 1}});
  EXPECT_NE(complaint(), "");
}

TEST_F(QueueTest, BuffersLieInMemory) {
  const std::uint64_t end = 1 << 20;
  const auto with = [&](std::uint64_t address, std::uint32_t length, std::uint16_t flags) {
    ring = Ring(memory);
    ring.descriptor(0, address, length, flags);
    ring.offer(0);
    return complaint();
  };
  for (const std::uint16_t flags : {std::uint16_t{0}, kWrite}) {
    EXPECT_EQ(with(end - 1, 1, flags), "");
    EXPECT_NE(with(end - 1, 2, flags), "");
    EXPECT_NE(with(end + 4096, 1, flags), "");
    EXPECT_NE(with(~std::uint64_t{0}, 2, flags), "");
    EXPECT_NE(with(1, 0xffffffff, flags), "");
  }
}

TEST_F(QueueTest, AChainHasAtMostFourGigabytes) {
  const GuestMemory large = guest_memory(1 << 26);
  Ring long_ring(large, 128);
  for (std::uint16_t i = 0; i < 64; ++i)
    long_ring.descriptor(i, 0, 1 << 26, i < 63 ? kNext : std::uint16_t{0},
                         static_cast<std::uint16_t>(i + 1));
  long_ring.offer(0);
  Virtqueue queue = Virtqueue::make(large, long_ring.place()).value();
  ASSERT_TRUE(queue.pop(chain));
  EXPECT_EQ(chain.readable.size(), 1ULL << 32);
  long_ring.descriptor(63, 0, 1 << 26, kNext, 64);
  long_ring.descriptor(64, 0, 1);
  long_ring.offer(0);
  EXPECT_FALSE(queue.pop(chain));
}

TEST_F(QueueTest, AnIndirectTableStandsForItsDescriptors) {
  constexpr std::uint64_t kTable = 0x4000;
  ring.text(Ring::kData, "abc");
  ring.descriptor_at(kTable, Ring::kData + 1, 1, kNext, 2);
  ring.descriptor_at(kTable + 32, Ring::kData + 0x100, 9, kWrite, 0);
  ring.descriptor(1, Ring::kData, 1, kNext, 3);           // normal ones before it
  ring.descriptor(3, kTable, 48, kIndirect | kWrite, 0);  // where kWrite says nothing (2.7.5.3.2)
  ring.offer(1);
  EXPECT_EQ(complaint(), "");
  EXPECT_EQ(chain.head, 1);
  EXPECT_EQ(readable(), "ab");
  EXPECT_EQ(chain.writable.size(), 9U);
  EXPECT_NE(complaint(false), "") << "it was not negotiated";
}

TEST_F(QueueTest, IndirectTablesHaveRules) {
  constexpr std::uint64_t kTable = 0x4000;
  const auto with = [&](std::uint64_t address, std::uint32_t length, std::uint16_t flags) {
    ring = Ring(memory);
    ring.descriptor(0, address, length, flags, 1);
    ring.descriptor(1, Ring::kData, 1);
    ring.offer(0);
    return complaint();
  };
  ring.descriptor_at(kTable, Ring::kData, 1, 0, 0);
  EXPECT_EQ(with(kTable, 16, kIndirect), "");
  EXPECT_NE(with(kTable, 16, kIndirect | kNext), "");
  EXPECT_NE(with(kTable, 0, kIndirect), "");
  EXPECT_NE(with(kTable, 24, kIndirect), "");
  EXPECT_NE(with((1 << 20) - 16, 32, kIndirect), "");
  EXPECT_NE(with(~std::uint64_t{15}, 32, kIndirect), "");
  ring.descriptor_at(kTable, kTable, 16, kIndirect, 0);
  EXPECT_NE(with(kTable, 16, kIndirect), "") << "a table in a table";
  ring.descriptor_at(kTable, Ring::kData, 1, kNext, 0);
  EXPECT_NE(with(kTable, 16, kIndirect), "") << "a loop";
  ring.descriptor_at(kTable, Ring::kData, 1, kNext, 1);
  EXPECT_NE(with(kTable, 16, kIndirect), "") << "beyond its end";
  for (std::uint16_t i = 0; i < 5; ++i)
    ring.descriptor_at(kTable + 16ULL * i, Ring::kData, 1, i < 4 ? kNext : std::uint16_t{0},
                       static_cast<std::uint16_t>(i + 1));
  EXPECT_NE(with(kTable, 80, kIndirect), "") << "longer than the queue";
}

TEST_F(QueueTest, AFlagAsksForNoInterrupts) {
  Virtqueue queue = make();
  ring.chain(0, {{Ring::kData, 1}});
  EXPECT_FALSE(queue.wants_interrupt()) << "nothing was pushed";
  ASSERT_TRUE(queue.pop(chain).value());
  queue.push(chain, 0);
  EXPECT_TRUE(queue.wants_interrupt());
  EXPECT_FALSE(queue.wants_interrupt()) << "nothing more was pushed";
  ring.put(ring.available(), std::uint16_t{1});
  queue.push(chain, 0);
  EXPECT_FALSE(queue.wants_interrupt());
}

TEST_F(QueueTest, AnEventIndexAsksForOneInterrupt) {
  Virtqueue queue = make(true, true);
  const std::uint64_t event = ring.available() + 4 + 2ULL * ring.size;
  ring.put(ring.available(), std::uint16_t{1});  // the flag says nothing then (2.7.7.1)
  const auto push = [&](unsigned count) {
    for (; count > 0; --count) queue.push(chain, 0);
    return queue.wants_interrupt();
  };
  ring.put(event, std::uint16_t{0});
  EXPECT_TRUE(push(1));
  EXPECT_FALSE(push(1)) << "it was told of entry 0";
  ring.put(event, std::uint16_t{3});
  EXPECT_FALSE(push(1));
  EXPECT_TRUE(push(1));
  ring.put(event, std::uint16_t{5});
  EXPECT_TRUE(push(3)) << "in the midst of what was pushed";
  ring.put(event, std::uint16_t{7});
  EXPECT_TRUE(push(1));
  ring.put(event, std::uint16_t{10});
  EXPECT_FALSE(push(2)) << "one too few";
  EXPECT_FALSE(push(0));
}

TEST_F(QueueTest, TheDriverIsToldWhenToNotify) {
  Virtqueue queue = make();
  queue.mute();
  EXPECT_EQ(ring.get<std::uint16_t>(ring.used()), 1);
  EXPECT_FALSE(queue.listen());
  EXPECT_EQ(ring.get<std::uint16_t>(ring.used()), 0);
  ring.chain(0, {{Ring::kData, 1}});
  EXPECT_TRUE(queue.listen()) << "one came before";
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_FALSE(queue.listen());
}

TEST_F(QueueTest, WithAnEventIndexItIsToldSo) {
  Virtqueue queue = make(true, true);
  const std::uint64_t event = ring.used() + 4 + 8ULL * ring.size;
  ring.chain(0, {{Ring::kData, 1}});
  ring.chain(1, {{Ring::kData, 1}});
  ASSERT_TRUE(queue.pop(chain).value());
  queue.mute();
  EXPECT_EQ(ring.get<std::uint16_t>(ring.used()), 0) << "flags are of no use (2.7.10)";
  EXPECT_TRUE(queue.listen());
  EXPECT_EQ(ring.get<std::uint16_t>(event), 1);
  ASSERT_TRUE(queue.pop(chain).value());
  EXPECT_FALSE(queue.listen());
  EXPECT_EQ(ring.get<std::uint16_t>(event), 2);
}

TEST(Pieces, ReadAsOne) {
  std::array<std::uint8_t, 6> bytes{1, 2, 3, 4, 5, 6};
  Pieces<std::uint8_t> pieces;
  pieces.add(std::span(bytes).first(2));
  pieces.add({});
  pieces.add(std::span(bytes).last(4));
  EXPECT_EQ(pieces.size(), 6U);
  std::array<std::uint8_t, 4> four{};
  EXPECT_EQ(pieces.read(1, four), 4U);
  EXPECT_EQ(four, (std::array<std::uint8_t, 4>{2, 3, 4, 5}));
  EXPECT_EQ(pieces.read(4, four), 2U);
  EXPECT_EQ(pieces.read(6, four), 0U);
  EXPECT_EQ(pieces.read(~std::uint64_t{0}, four), 0U);
  EXPECT_EQ(pieces.write(1, std::array<std::uint8_t, 2>{8, 9}), 2U);
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 6>{1, 8, 9, 4, 5, 6}));
  EXPECT_EQ(pieces.write(5, four), 1U);
  std::uint32_t value = 7;
  EXPECT_FALSE(pieces.read_struct(3, value));
  EXPECT_FALSE(pieces.read_struct(~std::uint64_t{0}, value));
  EXPECT_EQ(value, 7U);
  EXPECT_TRUE(pieces.read_struct(0, value));
  const auto vectors = pieces.iovecs(1, 2);
  ASSERT_EQ(vectors.size(), 2U);
  EXPECT_EQ(vectors[0].iov_base, &bytes[1]);
  EXPECT_EQ(vectors[0].iov_len, 1U);
  EXPECT_EQ(vectors[1].iov_base, &bytes[2]);
  EXPECT_EQ(vectors[1].iov_len, 1U);
  EXPECT_TRUE(pieces.iovecs(6, 1).empty());
}

}  // namespace
}  // namespace vmctl
