// SPDX-License-Identifier: GPL-2.0
#include "vm/exit.hpp"

#include <gtest/gtest.h>
#include "kernel/kvm.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kMapping = 12288;  // three pages
constexpr std::uint64_t kDataPage = 4096;

// A run page with its mapping, as KVM would fill it or as nobody should.
class ExitTest : public testing::Test {
 protected:
  kvm_run& run() { return *reinterpret_cast<kvm_run*>(mapping.data()); }
  void io(std::uint8_t direction, std::uint8_t size, std::uint32_t count, std::uint64_t offset) {
    run().exit_reason = KVM_EXIT_IO;
    run().io.direction = direction;
    run().io.size = size;
    run().io.port = 0x3f8;
    run().io.count = count;
    run().io.data_offset = offset;
  }
  bool io_is_malformed() { return std::holds_alternative<MalformedExit>(decode_exit(mapping)); }
  std::uint64_t position(std::span<std::uint8_t> span) {
    return static_cast<std::uint64_t>(span.data() - mapping.data());
  }
  std::vector<std::uint8_t> mapping = std::vector<std::uint8_t>(kMapping);
};

TEST_F(ExitTest, IoInAllWidths) {
  for (const std::uint8_t size : std::to_array<std::uint8_t>({1, 2, 4})) {
    io(KVM_EXIT_IO_OUT, size, 3, kDataPage);
    const Exit exit = decode_exit(mapping);
    ASSERT_TRUE(std::holds_alternative<IoExit>(exit));
    const auto& decoded = std::get<IoExit>(exit);
    EXPECT_EQ(decoded.direction, Direction::out);
    EXPECT_EQ(decoded.port, 0x3f8);
    EXPECT_EQ(decoded.size, size);
    EXPECT_EQ(decoded.count, 3U);
    EXPECT_EQ(decoded.data.size(), 3U * size);
    EXPECT_EQ(position(decoded.data), kDataPage);
  }
  io(KVM_EXIT_IO_IN, 1, 1, kDataPage);
  EXPECT_EQ(std::get<IoExit>(decode_exit(mapping)).direction, Direction::in);
}

TEST_F(ExitTest, IoDataMustLieInTheMapping) {
  io(KVM_EXIT_IO_OUT, 1, 1, kMapping - 1);
  EXPECT_FALSE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 1, kMapping - kDataPage, kDataPage);
  EXPECT_FALSE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 1, 1, sizeof(kvm_run));
  EXPECT_FALSE(io_is_malformed());

  io(KVM_EXIT_IO_OUT, 1, 1, kMapping);
  EXPECT_TRUE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 2, 1, kMapping - 1);
  EXPECT_TRUE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 1, kMapping - kDataPage + 1, kDataPage);
  EXPECT_TRUE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 1, 1, std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 4, 1, std::numeric_limits<std::uint64_t>::max() - 3);
  EXPECT_TRUE(io_is_malformed());
  // The run page's own members are no data.
  io(KVM_EXIT_IO_IN, 1, 1, sizeof(kvm_run) - 1);
  EXPECT_TRUE(io_is_malformed());
  io(KVM_EXIT_IO_IN, 1, 1, 0);
  EXPECT_TRUE(io_is_malformed());
}

TEST_F(ExitTest, IoSizesThatMultiplyPast32Bits) {
  io(KVM_EXIT_IO_OUT, 4, 0x40000001, kDataPage);  // 4 bytes in 32-bit arithmetic
  EXPECT_TRUE(io_is_malformed());
  io(KVM_EXIT_IO_OUT, 4, 0xffffffff, kDataPage);
  EXPECT_TRUE(io_is_malformed());
}

TEST_F(ExitTest, IoWithoutCountOrWithOddSizes) {
  io(KVM_EXIT_IO_OUT, 1, 0, kDataPage);
  EXPECT_TRUE(io_is_malformed());
  for (const std::uint8_t size : std::to_array<std::uint8_t>({0, 3, 5, 8, 255})) {
    io(KVM_EXIT_IO_OUT, size, 1, kDataPage);
    EXPECT_TRUE(io_is_malformed()) << int{size};
  }
  io(2, 1, 1, kDataPage);
  EXPECT_TRUE(io_is_malformed());
  EXPECT_EQ(exit_reason(decode_exit(mapping)), std::uint32_t{KVM_EXIT_IO});
}

TEST_F(ExitTest, Mmio) {
  run().exit_reason = KVM_EXIT_MMIO;
  run().mmio.phys_addr = 0xfee00000;
  run().mmio.is_write = 1;
  for (const std::uint32_t length : {1U, 2U, 4U, 8U}) {
    run().mmio.len = length;
    const auto exit = std::get<MmioExit>(decode_exit(mapping));
    EXPECT_EQ(exit.gpa, GuestAddr{0xfee00000});
    EXPECT_EQ(exit.direction, Direction::out);
    EXPECT_EQ(exit.data.size(), length);
    EXPECT_EQ(exit.data.data(), static_cast<std::uint8_t*>(run().mmio.data));
  }
  run().mmio.is_write = 0;
  EXPECT_EQ(std::get<MmioExit>(decode_exit(mapping)).direction, Direction::in);
  for (const std::uint32_t length : {0U, 9U, 0xffffffffU}) {
    run().mmio.len = length;
    EXPECT_TRUE(std::holds_alternative<MalformedExit>(decode_exit(mapping))) << length;
  }
}

TEST_F(ExitTest, InternalErrorDataIsBounded) {
  run().exit_reason = KVM_EXIT_INTERNAL_ERROR;
  run().internal.suberror = KVM_INTERNAL_ERROR_DELIVERY_EV;
  run().internal.data[0] = 7;
  run().internal.data[15] = 9;
  for (const auto& [said, taken] :
       {std::pair{0U, 0U}, {1U, 1U}, {16U, 16U}, {17U, 16U}, {0xffffffffU, 16U}}) {
    run().internal.ndata = said;
    const auto exit = std::get<InternalErrorExit>(decode_exit(mapping));
    EXPECT_EQ(exit.suberror, std::uint32_t{KVM_INTERNAL_ERROR_DELIVERY_EV});
    EXPECT_EQ(exit.count, taken);
    EXPECT_EQ(exit.data[0], taken > 0 ? 7U : 0U);
    EXPECT_EQ(exit.data[15], taken > 15 ? 9U : 0U);
  }
}

TEST_F(ExitTest, OthersByTheirReason) {
  run().exit_reason = KVM_EXIT_HLT;
  EXPECT_TRUE(std::holds_alternative<HltExit>(decode_exit(mapping)));
  run().exit_reason = KVM_EXIT_SHUTDOWN;
  EXPECT_TRUE(std::holds_alternative<ShutdownExit>(decode_exit(mapping)));
  run().exit_reason = KVM_EXIT_INTR;
  EXPECT_TRUE(std::holds_alternative<IntrExit>(decode_exit(mapping)));
  run().exit_reason = KVM_EXIT_FAIL_ENTRY;
  run().fail_entry.hardware_entry_failure_reason = 0x80000021;
  run().fail_entry.cpu = 3;
  const auto failed = std::get<FailEntryExit>(decode_exit(mapping));
  EXPECT_EQ(failed.hardware_reason, 0x80000021U);
  EXPECT_EQ(failed.cpu, 3U);
  for (const std::uint32_t reason : {0U, 1U, 24U, 44U, 0xffffffffU}) {
    run().exit_reason = reason;
    const Exit exit = decode_exit(mapping);
    ASSERT_TRUE(std::holds_alternative<OtherExit>(exit)) << reason;
    EXPECT_EQ(exit_reason(exit), reason);
  }
}

TEST_F(ExitTest, MsrsAndTheirAnswers) {
  run().exit_reason = KVM_EXIT_X86_WRMSR;
  run().msr.index = 0xc0000080;
  run().msr.data = 0x1122334455667788;
  const Exit exit = decode_exit(mapping);
  const auto& write = std::get<MsrExit>(exit);
  EXPECT_EQ(write.direction, Direction::out);
  EXPECT_EQ(write.index, 0xc0000080U);
  EXPECT_EQ(write.value, 0x1122334455667788U);
  EXPECT_EQ(exit_reason(exit), KVM_EXIT_X86_WRMSR);
  run().exit_reason = KVM_EXIT_X86_RDMSR;
  const Exit other = decode_exit(mapping);
  const auto& read = std::get<MsrExit>(other);
  EXPECT_EQ(read.direction, Direction::in);
  EXPECT_EQ(exit_reason(other), KVM_EXIT_X86_RDMSR);
  read.data[7] = 0xaa;
  read.refuse = 1;
  EXPECT_EQ(run().msr.data, 0xaa22334455667788U);
  EXPECT_EQ(run().msr.error, 1);
}

TEST_F(ExitTest, InterruptWindowsAndSteps) {
  run().exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
  EXPECT_TRUE(std::holds_alternative<IrqWindowExit>(decode_exit(mapping)));
  EXPECT_EQ(exit_reason(decode_exit(mapping)), KVM_EXIT_IRQ_WINDOW_OPEN);
  run().exit_reason = KVM_EXIT_DEBUG;
  EXPECT_TRUE(std::holds_alternative<DebugStopExit>(decode_exit(mapping)));
  EXPECT_EQ(exit_reason(decode_exit(mapping)), KVM_EXIT_DEBUG);
}

TEST_F(ExitTest, MemoryFaultIsKnownToOldHeadersToo) {
  run().exit_reason = 39;
  std::uint64_t values[3] = {8, 0x12345000, 0x1000};
  std::memcpy(&run().hw, values, sizeof values);
  const auto fault = std::get<MemoryFaultExit>(decode_exit(mapping));
  EXPECT_EQ(fault.flags, 8U);
  EXPECT_EQ(fault.gpa, GuestAddr{0x12345000});
  EXPECT_EQ(fault.size, 0x1000U);
}

// Whatever the page holds, what comes out of it stays within it.
TEST_F(ExitTest, RandomPagesNeverLeaveTheMapping) {
  std::mt19937 random(1);  // NOLINT(cert-msc51-cpp): the same in every run
  std::uniform_int_distribution<unsigned> word;
  std::uniform_int_distribution<std::uint32_t> reason(0, 45);
  const auto sparse = [&] {  // a few bits set, so that numbers are small as often as large
    const unsigned bits = word(random);
    return static_cast<std::uint8_t>(bits & bits >> 8 & bits >> 16);
  };
  for (int round = 0; round < 20000; ++round) {
    for (std::size_t i = 0; i < sizeof(kvm_run); ++i) mapping[i] = sparse();
    run().exit_reason = reason(random);
    const Exit exit = decode_exit(mapping);
    std::span<std::uint8_t> data;
    if (const auto* decoded = std::get_if<IoExit>(&exit)) data = decoded->data;
    if (const auto* decoded = std::get_if<MmioExit>(&exit)) data = decoded->data;
    if (data.empty()) continue;
    ASSERT_GE(data.data(), mapping.data());
    ASSERT_LE(data.data() + data.size(), mapping.data() + mapping.size());
  }
}

TEST(ExitName, IsKvms) {
  EXPECT_EQ(exit_name(KVM_EXIT_UNKNOWN), "KVM_EXIT_UNKNOWN");
  EXPECT_EQ(exit_name(KVM_EXIT_IO), "KVM_EXIT_IO");
  EXPECT_EQ(exit_name(KVM_EXIT_HLT), "KVM_EXIT_HLT");
  EXPECT_EQ(exit_name(KVM_EXIT_SYSTEM_EVENT), "KVM_EXIT_SYSTEM_EVENT");
  EXPECT_EQ(exit_name(KVM_EXIT_X86_RDMSR), "KVM_EXIT_X86_RDMSR");
  EXPECT_EQ(exit_name(38), "KVM_EXIT_LOONGARCH_IOCSR");
  EXPECT_EQ(exit_name(39), "KVM_EXIT_MEMORY_FAULT");
  EXPECT_EQ(exit_name(43), "KVM_EXIT_SNP_REQ_CERTS");
  EXPECT_EQ(exit_name(44), "KVM_EXIT_44");
  EXPECT_EQ(exit_name(0xffffffff), "KVM_EXIT_4294967295");
}

TEST(ExitName, Suberrors) {
  EXPECT_EQ(suberror_name(1), "KVM_INTERNAL_ERROR_EMULATION");
  EXPECT_EQ(suberror_name(4), "KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON");
  EXPECT_EQ(suberror_name(0), "KVM_INTERNAL_ERROR_0");
  EXPECT_EQ(suberror_name(5), "KVM_INTERNAL_ERROR_5");
}

}  // namespace
}  // namespace vmctl
