// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/console.hpp"

#include <gtest/gtest.h>

#include "dev/collect.hpp"
#include "fake_transport.hpp"

namespace vmctl {
namespace {

using namespace test;

class ConsoleTest : public testing::Test {
 protected:
  ConsoleTest() {
    console.attach(transport);
    console.on_room([this] { ++rooms; });
    transport.queues.emplace(0, Virtqueue::make(memory, input.place()).value());
    transport.queues.emplace(1, Virtqueue::make(memory, output.place()).value());
  }
  std::size_t receive(std::string_view text) {
    return console.receive({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  }
  std::uint32_t config() {
    std::array<std::uint8_t, 4> bytes{};
    console.read_config(0, bytes);
    return static_cast<std::uint32_t>(bytes[0] | bytes[1] << 8 | bytes[2] << 16 | bytes[3] << 24);
  }
  GuestMemory memory = guest_memory();
  Ring input{memory, 4, 0x1000};
  Ring output{memory, 4, 0x2000};
  FakeTransport transport;
  Collect sink;
  VirtioConsole console{sink};
  int rooms = 0;
};

TEST_F(ConsoleTest, OutputGoesToTheSink) {
  output.text(Ring::kData, "hello world");
  output.chain(0, {{Ring::kData, 6}, {Ring::kData + 6, 5}});
  ASSERT_TRUE(console.serve(1));
  EXPECT_EQ(sink.text, "hello world");
  EXPECT_EQ(output.used_length(0), 0U);
  output.text(0x10000, std::string(9000, 'x'));
  output.chain(0, {{0x10000, 9000}});
  ASSERT_TRUE(console.serve(1));
  EXPECT_EQ(sink.text, "hello world" + std::string(9000, 'x'));
  EXPECT_EQ(transport.interrupts, 2);
  EXPECT_EQ(rooms, 0);
}

TEST_F(ConsoleTest, InputGoesWhereThereIsRoom) {
  EXPECT_EQ(receive("abc"), 0U);
  input.chain(0, {{Ring::kData, 2, true}});
  input.chain(1, {{Ring::kData + 16, 8, true}});
  ASSERT_TRUE(console.serve(0));
  EXPECT_EQ(rooms, 1);
  EXPECT_EQ(input.used_index(), 0) << "nothing came yet";
  EXPECT_EQ(receive("abc"), 3U);
  EXPECT_EQ(input.used_length(0), 2U);
  EXPECT_EQ(input.used_length(1), 1U);
  EXPECT_EQ(input.text_at(Ring::kData, 2), "ab");
  EXPECT_EQ(input.text_at(Ring::kData + 16, 1), "c");
  EXPECT_EQ(transport.interrupts, 1);
  EXPECT_EQ(receive("d"), 0U);
  transport.live = false;
  input.chain(0, {{Ring::kData, 2, true}});
  EXPECT_EQ(receive("d"), 0U) << "there is no driver";
}

TEST_F(ConsoleTest, ADriverThatBreaksTheQueueIsNoticed) {
  input.offer(9);
  EXPECT_EQ(receive("a"), 0U);
  EXPECT_TRUE(transport.broken);
  output.offer(9);
  EXPECT_FALSE(console.serve(1));
}

TEST_F(ConsoleTest, TellsTheTerminalsSize) {
  EXPECT_EQ(console.features(), 1U);
  EXPECT_EQ(config(), 0U);
  console.resize(80, 25);
  EXPECT_EQ(config(), 25U << 16 | 80U);
  EXPECT_EQ(transport.changes, 1);
}

}  // namespace
}  // namespace vmctl
