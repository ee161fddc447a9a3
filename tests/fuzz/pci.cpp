// SPDX-License-Identifier: GPL-2.0
// A PCI bus with two virtio devices, and a guest that reads and writes ports, registers and memory
// as it likes.
#include "dev/pci/bus.hpp"

#include <memory>
#include <vector>

#include "bus/bus.hpp"
#include "bus/memory.hpp"
#include "dev/pci/host_bridge.hpp"
#include "dev/reset.hpp"
#include "dev/virtio/console.hpp"
#include "dev/virtio/pci.hpp"
#include "dev/virtio/rng.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

constexpr std::uint32_t kWindow = 0xc0000000;
constexpr std::uint32_t kWindowSize = 0x100000;
constexpr std::size_t kMemory = 0x10000;

class Line final : public InterruptLine {
 public:
  void set(bool level) override {
    require(level != high, "a line is told changes alone");
    high = level;
  }
  bool high = false;
};

class Bell final : public Doorbell {
 public:
  void place(std::optional<GuestAddr> /*address*/) override {}
  void listen(bool on) override { heard = on; }
  void ring() override { ++rung; }
  bool heard = false;
  unsigned rung = 0;
};

class Vector final : public MsiVector {
 public:
  void route(const MsiMessage& /*message*/) override { routed = true; }
  void raise() override { require(routed, "a message has a route before it is sent"); }
  bool routed = false;
};

class Nowhere final : public Sink {
 public:
  void put(std::span<const std::uint8_t> /*bytes*/) override {}
};

// A device in its slot, whose thread is the fuzzer's.
class Slot {
 public:
  Slot(VirtioDevice& device, const GuestMemory& memory, bool messages) {
    VirtioPci::Wires wires{.intx = line, .irq = 11};
    const std::size_t queues = device.queue_sizes().size();
    for (std::size_t i = 0; i < queues; ++i) {
      auto bell = std::make_unique<Bell>();
      bells.push_back(bell.get());
      wires.doorbells.push_back(std::move(bell));
    }
    for (std::size_t i = 0; messages && i < queues + 1; ++i)
      wires.vectors.push_back(std::make_unique<Vector>());
    wires.on_broken = [](const Error& error) { require_error(error); };
    pci = std::make_unique<VirtioPci>(device, memory, std::move(wires));
  }
  void serve() {
    for (unsigned i = 0; i < bells.size(); ++i)
      if (std::exchange(bells[i]->rung, 0) > 0 && bells[i]->heard) pci->serve(i);
  }

  Line line;
  std::vector<Bell*> bells;
  std::unique_ptr<VirtioPci> pci;
};

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  GuestMemory memory = *GuestMemory::create(kMemory, GuestAddr{kMemory}, GuestAddr{1ULL << 32});
  Nowhere sink;
  VirtioRng rng;
  VirtioConsole console(sink);
  Slot first(rng, memory, input.flag());
  Slot second(console, memory, input.flag());
  ResetControl reset([] {});
  ConfigAddress address(reset);
  HostBridge bridge;
  PciBus pci(address, kWindow, kWindowSize);
  Bus ports;
  Bus mmio;
  require(!is_error(pci.add(bridge)) && !is_error(pci.add(*first.pci)) &&
              !is_error(pci.add(*second.pci)),
          "there is room");
  require(ports.claim(0xcf8, 4, "address", address, kUpToDwords).has_value() &&
              ports.claim(0xcfc, 4, "data", pci.data(), kUpToDwords).has_value() &&
              mmio.claim(kWindow, kWindowSize, "window", pci.window(), kUpToDwords).has_value(),
          "nothing is in the way");

  while (!input.done()) {
    const auto what = input.number<std::uint8_t>();
    const std::size_t width = std::size_t{1} << (what >> 6);
    const bool write = (what & 1) != 0;
    std::array<std::uint8_t, 8> bytes{};
    const auto part = std::span(bytes).first(width);
    if (write) {
      const auto given = input.bytes(width);
      std::copy(given.begin(), given.end(), part.begin());
    }
    const auto access = [&](const Bus& bus, std::uint64_t at) {
      if (write)
        bus.write(at, width, part);
      else
        bus.read(at, width, part);
    };
    switch (what >> 1 & 7) {
      case 0:
        access(ports, 0xcf8 + (input.number<std::uint8_t>() & 7U));
        break;
      case 1: {  // configuration space, by the way that there is
        const std::uint32_t to = 0x80000000 | (input.number<std::uint16_t>() & 0x1ffcU);
        std::array<std::uint8_t, 4> where{};
        std::memcpy(where.data(), &to, sizeof to);
        ports.write(0xcf8, 4, where);
        access(ports, 0xcfc + (input.number<std::uint8_t>() & 3U));
        break;
      }
      case 2:
      case 3:
        access(mmio, kWindow + input.number<std::uint16_t>());
        break;
      case 4: {
        const auto all = *memory.span(GuestAddr{0}, kMemory);
        const auto at = input.number<std::uint16_t>();
        const auto given =
            input.bytes(std::min<std::size_t>(input.number<std::uint8_t>(), kMemory - at));
        std::copy(given.begin(), given.end(), all.begin() + at);
        break;
      }
      case 5:
        console.receive(input.bytes(input.number<std::uint8_t>()));
        break;
      case 6:
        console.resize(input.number<std::uint8_t>(), 25);
        break;
      default:
        first.serve();
        second.serve();
    }
  }
  return 0;
}
