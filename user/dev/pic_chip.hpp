// SPDX-License-Identifier: GPL-2.0
// One 8259A. Its owner locks, and connects its output.
#pragma once

#include <cstdint>

namespace vmctl {

class PicChip {
 public:
  // An acknowledged request.
  struct Taken {
    unsigned input;
    bool spurious;  // there was none: input 7, not in service
  };

  // `can_be_level`: the inputs that ELCR can switch.
  explicit PicChip(std::uint8_t can_be_level) : can_be_level_(can_be_level) {}

  // Of the two registers, address line 0 low and high.
  std::uint8_t read(bool high);
  void write(bool high, std::uint8_t value);

  std::uint8_t elcr() const { return elcr_; }
  void set_elcr(std::uint8_t value) { elcr_ = value & can_be_level_; }

  void set_input(unsigned input, bool level);
  // The level of INT.
  bool output() const { return request() != kNothing; }
  // An INTA cycle, or a poll.
  Taken take();
  std::uint8_t vector(unsigned input) const { return static_cast<std::uint8_t>(base_ | input); }

  // Fully initialised.
  bool ready() const { return awaited_ == Awaited::nothing; }
  bool masks(unsigned input) const { return !ready() || (mask_ >> input & 1) != 0; }
  // A slave is on this input.
  bool cascades(unsigned input) const { return (slaves_ >> input & 1) != 0; }
  // The next read is a poll, which takes a request.
  bool polled() const { return poll_; }

 private:
  static constexpr unsigned kInputs = 8;
  static constexpr unsigned kNothing = kInputs;
  enum class Awaited : std::uint8_t { icw1, icw2, icw3, icw4, nothing };

  void initialise(std::uint8_t icw1);
  void take_icw(std::uint8_t value);
  void command(std::uint8_t ocw2);
  void mode(std::uint8_t ocw3);
  std::uint8_t requests() const;
  unsigned request() const;
  // The one of highest priority among these inputs, or kNothing; and its rank, 0 the highest.
  unsigned first_of(std::uint8_t inputs) const;
  unsigned rank(unsigned input) const { return (input - lowest_ - 1) % kInputs; }
  unsigned in_service() const;
  void end(unsigned input, bool rotate);

  const std::uint8_t can_be_level_;
  std::uint8_t elcr_ = 0;
  std::uint8_t levels_ = 0;  // of the inputs
  std::uint8_t edges_ = 0;   // those that have risen, and were neither taken nor fell
  std::uint8_t service_ = 0;
  std::uint8_t mask_ = 0;
  std::uint8_t base_ = 0;    // of the vectors
  std::uint8_t slaves_ = 0;  // ICW3; none in single mode
  unsigned lowest_ = 7;      // the input of lowest priority
  Awaited awaited_ = Awaited::icw1;
  bool wants_icw4_ = false;
  bool single_ = false;
  bool level_mode_ = false;  // ICW1's: all inputs
  bool auto_end_ = false;
  bool rotates_on_auto_end_ = false;
  bool fully_nested_ = false;  // specially so: a slave may interrupt its own service
  bool special_mask_ = false;
  bool reads_service_ = false;
  bool poll_ = false;
};

}  // namespace vmctl
