// SPDX-License-Identifier: GPL-2.0
// A transport whose driver is a test: queues that are there from the start.
#pragma once

#include <map>

#include "dev/virtio/device.hpp"
#include "ring.hpp"

namespace vmctl::test {

class FakeTransport final : public VirtioTransport {
 public:
  std::uint64_t features() const override { return negotiated; }
  Virtqueue* queue(unsigned index) override {
    const auto found = queues.find(index);
    return found == queues.end() ? nullptr : &found->second;
  }
  void interrupt(unsigned index) override {
    if (Virtqueue* used = queue(index); used != nullptr && used->wants_interrupt()) ++interrupts;
  }
  void again(unsigned /*index*/) override { ++agains; }
  bool with_queues(const std::function<Result<>()>& act) override {
    if (!live) return false;
    broken |= !act();
    return true;
  }
  void update_config(const std::function<void()>& act) override {
    act();
    ++changes;
  }

  std::map<unsigned, Virtqueue> queues;
  std::uint64_t negotiated = kVirtioVersion1;
  bool live = true;
  bool broken = false;
  int interrupts = 0;
  int agains = 0;
  int changes = 0;
};

}  // namespace vmctl::test
