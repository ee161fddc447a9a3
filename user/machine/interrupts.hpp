// SPDX-License-Identifier: GPL-2.0
// The machine's interrupt lines, and who takes them: KVM's own controllers, or a pair of
// 8259As here whose interrupts the first vCPU's thread injects.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/event.hpp"
#include "bus/line.hpp"
#include "dev/pic.hpp"
#include "machine/tracer.hpp"
#include "run/ending.hpp"
#include "vm/vm.hpp"

namespace vmctl {

enum class Irqchip : std::uint8_t { none, kernel };

class Interrupts {
 public:
  // The pins of an IOAPIC; 8259As have the first sixteen.
  static constexpr unsigned kLines = 24;

  // `vm` must outlive it; its irqchip, if that is asked for, is the caller's to make.
  Interrupts(Irqchip irqchip, const Vm& vm);

  InterruptLine& line(unsigned irq) { return wires_[irq]; }

  // None with KVM's own.
  Pic* pic() { return pic_ ? &*pic_ : nullptr; }

  // Before any thread runs. `kick` brings the first vCPU's thread out of KVM_RUN, if it is not the
  // caller's own.
  void connect(Tracer* tracer, std::function<void()> kick);

  // Where a halted vCPU waits: true when there is an interrupt to inject, false when the machine
  // stops or `may_come` says that there never will be one. Asked again after each notify().
  bool wait(const Ending& ending, const std::function<bool()>& may_come);
  // May be called from any thread.
  void notify();

 private:
  class Wire final : public InterruptLine {
   public:
    void set(bool level) override { owner_->set(irq_, level); }

   private:
    friend class Interrupts;
    Interrupts* owner_ = nullptr;
    unsigned irq_ = 0;
  };
  void set(unsigned irq, bool level);

  const Vm& vm_;
  std::optional<Pic> pic_;
  std::array<Wire, kLines> wires_;
  Tracer* tracer_ = nullptr;
  std::function<void()> kick_;
  std::atomic<bool> waiting_ = false;
  Event wake_;
};

}  // namespace vmctl
