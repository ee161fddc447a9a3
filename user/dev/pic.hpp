// SPDX-License-Identifier: GPL-2.0
// The PC's interrupt controllers: two 8259A (Intel data sheet 231468), the slave's output on the
// master's input 2, and the register that makes single inputs level-triggered (ELCR, Intel's
// chipsets). Before a chip has got all its initialisation words it masks everything.
//
// As the data sheet has it, a request lasts only while its line is high, in edge mode too: what
// falls before it is acknowledged is forgotten. Vectors are the 8086's; the 8080's mode, buffered
// mode and the identity that a slave is given are taken and have no effect.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "bus/device.hpp"
#include "bus/line.hpp"
#include "dev/pic_chip.hpp"

namespace vmctl {

class Pic {
 public:
  static constexpr unsigned kLines = 16;
  static constexpr unsigned kCascade = 2;
  static constexpr std::uint64_t kSize = 2;  // each of the three devices

  Pic();

  Device& master() { return master_port_; }  // ports 0x20, 0x21
  Device& slave() { return slave_port_; }    // ports 0xa0, 0xa1
  Device& elcr() { return elcr_port_; }      // ports 0x4d0, 0x4d1

  // An input, 0 to 15. Input 2 is the slave's: what is set there is lost.
  InterruptLine& line(unsigned irq) { return lines_.at(irq); }

  // The level of the output INTR. Takes no lock; sequentially consistent.
  bool pending() const { return pending_.load(); }
  // Called, with no lock of this device's held, each time pending() has become true; whoever set a
  // line may hold a lock of its own. To be set before the first access.
  void on_change(std::function<void()> handler) { on_change_ = std::move(handler); }

  // What a CPU does that takes the interrupt: the vector. If the request has gone meanwhile it is
  // the one of input 7, which then is not in service; nothing only while the master has not been
  // initialised, when no CPU would ask.
  std::optional<std::uint8_t> acknowledge();

  // Whether a request on this input would reach a CPU sooner or later: initialised and not masked,
  // nor the slave as a whole. False for the cascade and beyond 15.
  bool listens(unsigned irq) const;

 private:
  class ChipPort final : public Device {
   public:
    ChipPort(Pic& owner, PicChip& chip) : owner_(owner), chip_(chip) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

   private:
    Pic& owner_;
    PicChip& chip_;
  };
  class ElcrPort final : public Device {
   public:
    explicit ElcrPort(Pic& owner) : owner_(owner) {}
    void read(std::uint64_t offset, std::span<std::uint8_t> data) override;
    void write(std::uint64_t offset, std::span<const std::uint8_t> data) override;

   private:
    Pic& owner_;
  };
  class Line final : public InterruptLine {
   public:
    Line(Pic& owner, unsigned irq) : owner_(owner), irq_(irq) {}
    void set(bool level) override;

   private:
    Pic& owner_;
    unsigned irq_;
  };
  template <std::size_t... kIrq>
  std::array<Line, kLines> make_lines(std::index_sequence<kIrq...> irqs);

  // One change under the lock, the cascade and INTR brought up to date, on_change() called.
  template <class Act>
  void change(Act act);

  mutable std::mutex mutex_;  // guards both chips
  PicChip master_{0xf8};      // neither timer nor keyboard nor cascade can be level-triggered,
  PicChip slave_{0xde};       // nor the clock or the coprocessor
  std::atomic<bool> pending_ = false;
  std::function<void()> on_change_;
  ChipPort master_port_{*this, master_};
  ChipPort slave_port_{*this, slave_};
  ElcrPort elcr_port_{*this};
  std::array<Line, kLines> lines_;
};

}  // namespace vmctl
