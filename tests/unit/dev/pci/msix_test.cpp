// SPDX-License-Identifier: GPL-2.0
#include "dev/pci/msix.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"
#include "fake_vector.hpp"

namespace vmctl {
namespace {

class MsixTest : public testing::Test {
 protected:
  std::uint32_t get(std::uint64_t offset) {
    std::array<std::uint8_t, 4> bytes{0xcc, 0xcc, 0xcc, 0xcc};
    msix.read(offset, bytes);
    return static_cast<std::uint32_t>(little_endian(bytes));
  }
  void put(std::uint64_t offset, std::uint32_t value, std::size_t size = 4) {
    std::array<std::uint8_t, 4> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(value >> 8 * i);
    msix.write(offset, std::span(bytes).first(size));
  }
  void set(unsigned vector, std::uint32_t data, std::uint32_t control = 0) {
    put(16ULL * vector, 0xfee00000);
    put(16ULL * vector + 4, 1);
    put(16ULL * vector + 8, data);
    put(16ULL * vector + 12, control);
  }
  static MsiMessage message(std::uint32_t data) { return {0x1fee00000, data}; }

  std::vector<test::Sent> sent{3};
  Msix msix{test::fake_vectors(sent)};
};

TEST_F(MsixTest, TheCapabilitySaysWhereAndHowMany) {
  EXPECT_EQ(msix.body(1), (std::array<std::uint8_t, 10>{2, 0, 1, 0, 0, 0, 1, 8, 0, 0}));
  EXPECT_EQ(Msix::writable(), (std::array<std::uint8_t, 10>{0, 0xc0}));
}

TEST_F(MsixTest, VectorsAreMaskedAtFirst) {
  for (unsigned vector = 0; vector < 3; ++vector) EXPECT_EQ(get(16 * vector + 12), 1U);
  EXPECT_EQ(get(48), 0U) << "behind the table";
  EXPECT_FALSE(msix.enabled());
}

TEST_F(MsixTest, SendsWhatTheTableSays) {
  set(1, 0x41);
  msix.set_control(Msix::kEnable);
  EXPECT_TRUE(msix.enabled());
  msix.raise(1);
  msix.raise(1);
  EXPECT_EQ(sent[1].messages, (std::vector{message(0x41), message(0x41)}));
  EXPECT_TRUE(sent[0].messages.empty());
  set(1, 0x42);
  msix.raise(1);
  EXPECT_EQ(sent[1].messages.back(), message(0x42));
  EXPECT_EQ(get(16), 0xfee00000U);
  EXPECT_EQ(get(20), 1U);
  EXPECT_EQ(get(24), 0x42U);
}

TEST_F(MsixTest, IsRoutedWhenItCanBeSentAndOnce) {
  set(1, 0x41);
  EXPECT_EQ(sent[1].routes, 0) << "it is off";
  msix.set_control(Msix::kEnable | Msix::kMaskAll);
  EXPECT_EQ(sent[1].routes, 0);
  msix.set_control(Msix::kEnable);
  EXPECT_EQ(sent[1].routes, 1);
  msix.set_control(Msix::kEnable);
  msix.raise(1);
  EXPECT_EQ(sent[1].routes, 1);
  EXPECT_EQ(sent[0].routes, 0) << "masked";
  put(28, 1);
  set(1, 0x42, 1);
  EXPECT_EQ(sent[1].routes, 1);
  put(28, 0);
  EXPECT_EQ(sent[1].routes, 2);
}

TEST_F(MsixTest, AMaskedVectorWaits) {
  msix.set_control(Msix::kEnable);
  set(2, 0x41, 1);
  msix.raise(2);
  msix.raise(2);
  EXPECT_TRUE(sent[2].messages.empty());
  EXPECT_EQ(get(Msix::kPending), 4U);
  put(44, 0);
  EXPECT_EQ(sent[2].messages, std::vector{message(0x41)}) << "once";
  EXPECT_EQ(get(Msix::kPending), 0U);
}

TEST_F(MsixTest, AllWaitWhileAllAreMasked) {
  set(0, 0x41);
  msix.set_control(Msix::kEnable | Msix::kMaskAll);
  msix.raise(0);
  EXPECT_TRUE(sent[0].messages.empty());
  EXPECT_EQ(get(Msix::kPending), 1U);
  msix.set_control(Msix::kEnable);
  EXPECT_EQ(sent[0].messages.size(), 1U);
}

TEST_F(MsixTest, WithoutItNothingIsSentNorKept) {
  set(0, 0x41);
  msix.raise(0);
  EXPECT_EQ(get(Msix::kPending), 0U);
  msix.set_control(Msix::kEnable);
  EXPECT_TRUE(sent[0].messages.empty());
}

TEST_F(MsixTest, AVectorThatIsNotThereIsNone) {
  msix.set_control(Msix::kEnable);
  msix.raise(3);
  msix.raise(0xffff);
  for (const test::Sent& one : sent) EXPECT_TRUE(one.messages.empty());
}

TEST_F(MsixTest, TakesWordsOfFourBytes) {
  put(12, 0, 1);
  put(12, 0, 2);
  put(13, 0);
  put(48, 0);
  put(Msix::kPending, 0xff);
  put(Msix::kSize - 4, 0xff);
  EXPECT_EQ(get(12), 1U);
  EXPECT_EQ(get(Msix::kPending), 0U);
  EXPECT_EQ(get(Msix::kSize - 4), 0U);
}

}  // namespace
}  // namespace vmctl
