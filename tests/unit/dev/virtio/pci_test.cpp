// SPDX-License-Identifier: GPL-2.0
#include "dev/virtio/pci.hpp"

#include <gtest/gtest.h>

#include <map>

#include "base/bytes.hpp"
#include "bus/bus.hpp"
#include "dev/fake_line.hpp"
#include "dev/pci/bus.hpp"
#include "dev/pci/fake_vector.hpp"
#include "dev/reset.hpp"
#include "fake_doorbell.hpp"
#include "ring.hpp"

namespace vmctl {
namespace {

using namespace test;

constexpr std::uint32_t kWindow = 0xc0000000;
constexpr std::uint64_t kBar = kWindow;  // BAR 0 of the first function
constexpr std::uint64_t kIsr = kBar + 0x1000;
constexpr std::uint64_t kDevice = kBar + 0x2000;
constexpr std::uint64_t kNotify = kBar + 0x3000;
constexpr std::uint64_t kTable = kWindow + 0x4000;  // BAR 1

// Gives back what it gets, and counts.
class Echo final : public VirtioDevice {
 public:
  std::uint16_t type() const override { return 42; }
  std::uint32_t pci_class() const override { return 0x00ff00; }
  std::string_view name() const override { return "echo"; }
  std::uint64_t features() const override { return 1; }
  std::vector<std::uint16_t> queue_sizes() const override { return {8, 4}; }
  std::uint32_t config_size() const override { return 4; }
  void read_config(std::uint64_t offset, std::span<std::uint8_t> data) const override {
    copy_config(config, offset, data);
  }
  void write_config(std::uint64_t offset, std::span<const std::uint8_t> data) override {
    if (offset < config.size()) config[offset] = data[0];
  }
  void start() override { ++starts; }
  void stop() override { ++stops; }
  Result<> serve(unsigned index) override {
    ++serves;
    return serve_each(index, chain, [](const Chain& one) -> Result<std::uint32_t> {
      std::array<std::uint8_t, 4> bytes{};
      const std::size_t size = one.readable.read(0, bytes);
      return static_cast<std::uint32_t>(one.writable.write(0, std::span(bytes).first(size)));
    });
  }
  VirtioTransport& host() const { return transport(); }

  std::array<std::uint8_t, 4> config{1, 2, 3, 4};
  Chain chain;
  int starts = 0;
  int stops = 0;
  int serves = 0;
};

class VirtioPciTest : public testing::Test {
 protected:
  explicit VirtioPciTest(bool messages = true) {
    VirtioPci::Wires wires{.intx = line, .irq = 11};
    for (Bell& bell : bells) wires.doorbells.push_back(std::make_unique<FakeDoorbell>(bell));
    if (messages) wires.vectors = fake_vectors(sent);
    wires.on_broken = [this](const Error&) { ++complaints; };
    pci = std::make_unique<VirtioPci>(echo, memory, std::move(wires));
    EXPECT_TRUE(bus.add(*pci));
    EXPECT_TRUE(ports.claim(0xcf8, 4, "address", address, kUpToDwords));
    EXPECT_TRUE(ports.claim(0xcfc, 4, "data", bus.data(), kUpToDwords));
    EXPECT_TRUE(mmio.claim(kWindow, 0x100000, "window", bus.window(), kUpToDwords));
  }
  static std::uint64_t in(const Bus& from, std::uint64_t at, std::size_t size) {
    std::array<std::uint8_t, 8> bytes{};
    const auto part = std::span(bytes).first(size);
    from.read(at, size, part);
    return little_endian(part);
  }
  static void out(const Bus& to, std::uint64_t at, std::uint64_t value, std::size_t size) {
    std::array<std::uint8_t, 8> bytes{};
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(value >> 8 * i);
    to.write(at, size, std::span(bytes).first(size));
  }
  std::uint64_t get(std::uint64_t at, std::size_t size = 4) { return in(mmio, at, size); }
  void put(std::uint64_t at, std::uint64_t value, std::size_t size = 4) {
    out(mmio, at, value, size);
  }
  std::uint32_t config(unsigned offset, std::size_t size = 4) {
    out(ports, 0xcf8, 0x80000000 | (offset & 0xfc), 4);
    return static_cast<std::uint32_t>(in(ports, 0xcfc + offset % 4, size));
  }
  void set_config(unsigned offset, std::uint32_t value, std::size_t size = 4) {
    out(ports, 0xcf8, 0x80000000 | (offset & 0xfc), 4);
    out(ports, 0xcfc + offset % 4, value, size);
  }
  // Where the capability with this ID, and if it is virtio's, of this type is; 0: nowhere.
  unsigned capability(unsigned id, unsigned type = 0) {
    for (unsigned at = config(0x34, 1); at != 0; at = config(at + 1, 1))
      if (config(at, 1) == id && (id != 9 || config(at + 3, 1) == type)) return at;
    return 0;
  }
  std::uint64_t status() { return get(kBar + 20, 1); }
  void set_status(unsigned value) { put(kBar + 20, value, 1); }
  void negotiate(std::uint64_t features = kVirtioVersion1) {
    set_status(0);
    set_status(3);
    put(kBar + 8, 1);
    put(kBar + 12, features >> 32);
    put(kBar + 8, 0);
    put(kBar + 12, features & 0xffffffff);
    set_status(11);
  }
  void place(unsigned index, Ring& at, unsigned vector = 0xffff) {
    put(kBar + 22, index, 2);
    put(kBar + 24, at.size, 2);
    put(kBar + 26, vector, 2);
    put(kBar + 32, at.base, 8);
    put(kBar + 40, at.available(), 8);
    put(kBar + 48, at.used(), 8);
    put(kBar + 28, 1, 2);
  }
  void begin(unsigned vector = 0xffff) {
    negotiate();
    ring = std::make_unique<Ring>(memory, 8);
    ring->put(ring->available() + 2, std::uint16_t{0});
    ring->put(ring->used() + 2, std::uint16_t{0});
    place(0, *ring, vector);
    set_status(15);
  }
  void enable_messages() { set_config(capability(0x11) + 2, 0x8000, 2); }
  void set_vector(unsigned vector) {
    put(kTable + 16ULL * vector, 0xfee00000);
    put(kTable + 16ULL * vector + 8, vector + 0x40);
    put(kTable + 16ULL * vector + 12, 0);
  }
  void request() { ring->chain(0, {{Ring::kData, 4}, {Ring::kData + 8, 4, true}}); }

  GuestMemory memory = guest_memory();
  FakeLine line;
  std::vector<Bell> bells{2};
  std::vector<Sent> sent{3};
  int complaints = 0;
  Echo echo;
  std::unique_ptr<VirtioPci> pci;
  ResetControl reset{[] {}};
  ConfigAddress address{reset};
  PciBus bus{address, kWindow, 0x100000};
  Bus ports;
  Bus mmio;
  std::unique_ptr<Ring> ring;
};

class VirtioPciLineTest : public VirtioPciTest {
 protected:
  VirtioPciLineTest() : VirtioPciTest(false) {}
};

TEST_F(VirtioPciTest, IsFound) {
  EXPECT_EQ(config(0), 0x106a1af4U) << "0x1040 + 42 of Red Hat";
  EXPECT_EQ(config(8), 0x00ff0001U) << "revision 1: modern alone";
  EXPECT_EQ(config(0x2c), 0x106a1af4U);
  EXPECT_EQ(config(0x3c, 2), 0x010bU);
}

TEST_F(VirtioPciTest, SaysWhereItsRegistersAre) {
  struct Part {
    std::uint32_t offset;
    std::uint32_t size;
  };
  const std::map<unsigned, Part> parts{
      {1, {0, 60}}, {2, {0x3000, 8}}, {3, {0x1000, 1}}, {4, {0x2000, 4}}};
  for (const auto& [type, part] : parts) {
    const unsigned at = capability(9, type);
    ASSERT_NE(at, 0U) << type;
    EXPECT_EQ(config(at + 2, 1), type == 2 ? 20U : 16U);
    EXPECT_EQ(config(at + 4, 1), 0U) << "the BAR";
    EXPECT_EQ(config(at + 8), part.offset) << type;
    EXPECT_EQ(config(at + 12), part.size) << type;
  }
  EXPECT_EQ(config(capability(9, 2) + 16), 4U) << "the notify multiplier";
  const unsigned msix = capability(0x11);
  ASSERT_NE(msix, 0U);
  EXPECT_EQ(config(msix + 2, 2), 2U) << "three vectors";
  EXPECT_EQ(config(msix + 4), 1U) << "in BAR 1";
}

TEST_F(VirtioPciLineTest, HasNoMessagesWithoutVectors) {
  EXPECT_EQ(capability(0x11), 0U);
  EXPECT_NE(capability(9, 1), 0U);
  put(kBar + 16, 0, 2);
  EXPECT_EQ(get(kBar + 16, 2), 0xffffU);
}

TEST_F(VirtioPciTest, DoorbellsAreWhereTheBarIs) {
  EXPECT_EQ(bells[0].at, GuestAddr{kNotify});
  EXPECT_EQ(bells[1].at, GuestAddr{kNotify + 4});
  set_config(0x10, kWindow + 0x80000);
  EXPECT_EQ(bells[1].at, GuestAddr{kNotify + 0x80004});
  set_config(4, 0, 2);
  EXPECT_EQ(bells[1].at, std::nullopt);
  set_config(4, 2, 2);
  EXPECT_EQ(bells[0].at, GuestAddr{kNotify + 0x80000});
}

TEST_F(VirtioPciTest, WritesThatComeRingToo) {
  put(kNotify + 4, 1, 2);
  EXPECT_EQ(bells[1].rung, 1);
  EXPECT_EQ(bells[0].rung, 0);
  put(kNotify, 0, 4);
  EXPECT_EQ(bells[0].rung, 1);
  put(kNotify + 8, 0, 2);
  put(kNotify + 0xffc, 0, 2);
  EXPECT_EQ(bells[0].rung + bells[1].rung, 2);
}

TEST_F(VirtioPciTest, ServesFromDriverOkToAReset) {
  negotiate();
  Ring first(memory, 8);
  place(0, first);
  pci->serve(0);
  EXPECT_EQ(echo.serves, 0);
  EXPECT_FALSE(pci->with_queues([]() -> Result<> { return {}; }));
  set_status(15);
  EXPECT_EQ(echo.starts, 1);
  EXPECT_TRUE(bells[0].heard);
  EXPECT_EQ(bells[0].rung, 1) << "for what came before";
  EXPECT_FALSE(bells[1].heard) << "not enabled";
  EXPECT_EQ(pci->queue(1), nullptr);
  EXPECT_EQ(pci->queue(2), nullptr);
  first.text(Ring::kData, "ping");
  first.chain(0, {{Ring::kData, 4}, {Ring::kData + 8, 4, true}});
  pci->serve(0);
  EXPECT_EQ(first.text_at(Ring::kData + 8, 4), "ping");
  EXPECT_TRUE(pci->with_queues([]() -> Result<> { return {}; }));
  pci->serve(1);
  EXPECT_EQ(echo.serves, 1);
  set_status(0);
  EXPECT_EQ(status(), 0U);
  EXPECT_EQ(echo.stops, 1);
  EXPECT_FALSE(bells[0].heard);
  pci->serve(0);
  EXPECT_EQ(echo.serves, 1);
  set_status(0);
  EXPECT_EQ(echo.stops, 1) << "it had stopped";
}

TEST_F(VirtioPciTest, InterruptsByTheLineUntilTheIsrIsRead) {
  begin();
  request();
  pci->serve(0);
  EXPECT_TRUE(line.high);
  EXPECT_EQ(config(6, 2) & 8, 8U) << "interrupt status";
  EXPECT_EQ(get(kIsr, 1), 1U);
  EXPECT_FALSE(line.high);
  EXPECT_EQ(config(6, 2) & 8, 0U);
  EXPECT_EQ(get(kIsr, 1), 0U);
  request();
  pci->serve(0);
  EXPECT_TRUE(line.high);
  set_config(4, 0x402, 2);
  EXPECT_FALSE(line.high) << "INTx is disabled";
  EXPECT_EQ(config(6, 2) & 8, 8U) << "but pending";
  set_config(4, 2, 2);
  EXPECT_TRUE(line.high);
  set_status(0);
  EXPECT_FALSE(line.high);
  EXPECT_EQ(get(kIsr, 1), 0U);
}

TEST_F(VirtioPciTest, InterruptsByMessages) {
  enable_messages();
  set_vector(2);
  begin(2);
  request();
  pci->serve(0);
  ASSERT_EQ(sent[2].messages.size(), 1U);
  EXPECT_EQ(sent[2].messages[0], (MsiMessage{0xfee00000, 0x42}));
  EXPECT_FALSE(line.high);
  EXPECT_EQ(get(kIsr, 1), 0U);
  ring->put(ring->available(), std::uint16_t{1});  // no interrupts, please
  request();
  pci->serve(0);
  EXPECT_EQ(sent[2].messages.size(), 1U);
}

TEST_F(VirtioPciTest, AQueueWithoutVectorInterruptsNobody) {
  enable_messages();
  begin();
  request();
  pci->serve(0);
  EXPECT_FALSE(line.high);
  for (const Sent& one : sent) EXPECT_TRUE(one.messages.empty());
}

TEST_F(VirtioPciTest, MessagesTakeTheLinesPlace) {
  begin();
  request();
  pci->serve(0);
  EXPECT_TRUE(line.high);
  enable_messages();
  EXPECT_FALSE(line.high);
}

TEST_F(VirtioPciTest, ABrokenQueueNeedsAReset) {
  begin();
  ring->offer(9);
  pci->serve(0);
  EXPECT_EQ(status(), 15U | 64U);
  EXPECT_EQ(complaints, 1);
  EXPECT_EQ(echo.stops, 1);
  EXPECT_EQ(get(kIsr, 1), 2U) << "a change of the configuration";
  EXPECT_FALSE(bells[0].heard);
  pci->serve(0);
  EXPECT_EQ(echo.serves, 1);
  begin();
  EXPECT_EQ(status(), 15U);
  request();
  pci->serve(0);
  EXPECT_EQ(echo.serves, 2);
  EXPECT_EQ(ring->used_index(), 1);
}

TEST_F(VirtioPciTest, SoDoesOneThatIsNotInMemory) {
  negotiate();
  Ring bad(memory, 8);
  place(1, bad);
  put(kBar + 22, 0, 2);
  put(kBar + 32, 0xfff00000, 8);
  put(kBar + 28, 1, 2);
  set_status(15);
  EXPECT_EQ(status(), 15U | 64U);
  EXPECT_EQ(complaints, 1);
  EXPECT_EQ(echo.starts, 0);
  EXPECT_EQ(pci->queue(1), nullptr);
  pci->serve(1);
  EXPECT_EQ(echo.serves, 0);
}

TEST_F(VirtioPciTest, AndOneThatTheDeviceFindsBroken) {
  begin();
  EXPECT_TRUE(pci->with_queues([]() -> Result<> { return fail({.what = "no"}); }));
  EXPECT_EQ(status(), 15U | 64U);
  EXPECT_FALSE(pci->with_queues([]() -> Result<> { return {}; }));
}

TEST_F(VirtioPciTest, TheDevicesConfigurationIsReadAndWritten) {
  EXPECT_EQ(get(kDevice), 0x04030201U);
  EXPECT_EQ(get(kDevice + 2), 0x0403U) << "and zeros";
  EXPECT_EQ(get(kDevice + 0xffc), 0U);
  put(kDevice + 1, 9, 1);
  EXPECT_EQ(get(kDevice + 1, 1), 9U);
}

TEST_F(VirtioPciTest, ChangesOfItAreTold) {
  pci->update_config([&] { echo.config[0] = 7; });
  EXPECT_EQ(get(kBar + 21, 1), 1U) << "the generation";
  EXPECT_FALSE(line.high) << "no driver is there";
  begin();
  pci->update_config([&] { echo.config[0] = 8; });
  EXPECT_EQ(get(kBar + 21, 1), 2U);
  EXPECT_EQ(get(kIsr, 1), 2U);
  enable_messages();
  set_vector(1);
  put(kBar + 16, 1, 2);
  pci->update_config([] {});
  EXPECT_EQ(sent[1].messages.size(), 1U);
}

TEST_F(VirtioPciTest, EventIndexAndIndirectAreNegotiated) {
  negotiate(kVirtioVersion1 | kVirtioEventIndex);
  Ring events(memory, 8);
  place(0, events);
  set_status(15);
  EXPECT_EQ(echo.host().features(), kVirtioVersion1 | kVirtioEventIndex);
  events.descriptor(0, Ring::kData, 16, kIndirect);
  events.descriptor_at(Ring::kData, Ring::kData, 1, 0, 0);
  events.offer(0);
  pci->serve(0);
  EXPECT_EQ(status(), 15U | 64U) << "indirect was not";
  negotiate(kVirtioVersion1 | kVirtioIndirect);
  place(0, events);
  events.put(events.used() + 2, std::uint16_t{0});
  set_status(15);
  pci->serve(0);
  EXPECT_EQ(status(), 15U);
  EXPECT_EQ(events.used_index(), 1);
}

TEST_F(VirtioPciTest, RegistersAreReachedThroughConfigurationSpace) {
  const unsigned at = capability(9, 5);
  ASSERT_NE(at, 0U);
  const auto access = [&](std::uint32_t bar, std::uint32_t offset, std::uint32_t length) {
    set_config(at + 4, bar, 1);
    set_config(at + 8, offset);
    set_config(at + 12, length);
  };
  access(0, 18, 2);
  EXPECT_EQ(config(at + 16, 2), 2U) << "the number of queues";
  access(0, 22, 2);
  set_config(at + 16, 1, 2);
  EXPECT_EQ(get(kBar + 22, 2), 1U);
  access(0, 0x3004, 2);
  set_config(at + 16, 1);
  EXPECT_EQ(bells[1].rung, 1);
  access(1, 12, 4);
  EXPECT_EQ(config(at + 16), 1U) << "the mask of the first vector";
  for (const auto& [bar, offset, length] :
       {std::array{0U, 0U, 3U}, std::array{0U, 0U, 0U}, std::array{0U, 2U, 4U},
        std::array{0U, 0x4000U, 4U}, std::array{2U, 0U, 4U}, std::array{9U, 0U, 4U}}) {
    access(bar, offset, length);
    set_config(at + 16, 0x12345678);
    EXPECT_EQ(config(at + 16), 0x12345678U) << "nothing is reached there";
  }
  EXPECT_EQ(get(kBar), 0U);
}

}  // namespace
}  // namespace vmctl
