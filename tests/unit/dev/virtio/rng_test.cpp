// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/rng.hpp"

#include <gtest/gtest.h>

#include "fake_transport.hpp"

namespace vmctl {
namespace {

using namespace test;

TEST(Rng, FillsWhatIsToBeWrittenUpToALimit) {
  GuestMemory memory = guest_memory();
  Ring ring(memory);
  FakeTransport transport;
  VirtioRng rng;
  rng.attach(transport);
  transport.queues.emplace(0, Virtqueue::make(memory, ring.place()).value());
  EXPECT_EQ(rng.type(), 4);
  EXPECT_EQ(rng.config_size(), 0U);

  ring.chain(0, {{Ring::kData, 8}, {Ring::kData + 8, 32, true}, {Ring::kData + 48, 32, true}});
  ring.chain(3, {{0x10000, 8192, true}});
  ASSERT_TRUE(rng.serve(0));
  EXPECT_EQ(ring.used_length(0), 64U);
  const std::string zeros(32, '\0');
  EXPECT_NE(ring.text_at(Ring::kData + 8, 32), zeros);
  EXPECT_NE(ring.text_at(Ring::kData + 48, 32), zeros);
  EXPECT_EQ(ring.text_at(Ring::kData, 8) + ring.text_at(Ring::kData + 40, 8),
            std::string(16, '\0'));
  EXPECT_EQ(ring.used_length(1), VirtioRng::kAtOnce);
  EXPECT_NE(ring.text_at(0x10000 + 4064, 32), zeros);
  EXPECT_EQ(ring.text_at(0x10000 + 4096, 32), zeros);
  EXPECT_EQ(transport.interrupts, 2);
}

}  // namespace
}  // namespace vmctl
