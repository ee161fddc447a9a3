// SPDX-License-Identifier: GPL-2.0
#include "dev/pic_chip.hpp"

namespace vmctl {
namespace {

constexpr std::uint8_t kIcw1 = 0x10;  // tells it from OCW2 and OCW3
constexpr std::uint8_t kIcw1WantsIcw4 = 0x01;
constexpr std::uint8_t kIcw1Single = 0x02;
constexpr std::uint8_t kIcw1Level = 0x08;
constexpr std::uint8_t kIcw2Base = 0xf8;
constexpr std::uint8_t kIcw4AutoEnd = 0x02;
constexpr std::uint8_t kIcw4FullyNested = 0x10;

constexpr std::uint8_t kInput = 0x07;  // of OCW2
constexpr unsigned kOcw2Shift = 5;
enum class Ocw2 : std::uint8_t {
  no_auto_rotation,
  end,
  nothing,
  end_specific,
  auto_rotation,
  end_and_rotate,
  set_lowest,
  end_specific_and_rotate,
};

constexpr std::uint8_t kOcw3 = 0x08;  // tells it from OCW2
constexpr std::uint8_t kOcw3ReadService = 0x01;
constexpr std::uint8_t kOcw3SetRead = 0x02;
constexpr std::uint8_t kOcw3Poll = 0x04;
constexpr std::uint8_t kOcw3SpecialMask = 0x20;
constexpr std::uint8_t kOcw3SetSpecialMask = 0x40;

constexpr std::uint8_t kPolledRequest = 0x80;

constexpr std::uint8_t bit(unsigned input) {
  return static_cast<std::uint8_t>(1U << input);
}

constexpr std::uint8_t without(std::uint8_t set, unsigned input) {
  return static_cast<std::uint8_t>(set & ~bit(input));
}

}  // namespace

std::uint8_t PicChip::read(bool high) {
  if (poll_) {
    poll_ = false;
    const Taken taken = take();
    return taken.spurious ? std::uint8_t{0}
                          : static_cast<std::uint8_t>(kPolledRequest | taken.input);
  }
  if (high) return mask_;
  return reads_service_ ? service_ : requests();
}

void PicChip::write(bool high, std::uint8_t value) {
  if (!high && (value & kIcw1) != 0)
    initialise(value);
  else if (high && awaited_ != Awaited::nothing && awaited_ != Awaited::icw1)
    take_icw(value);
  else if (high)
    mask_ = value;
  else if ((value & kOcw3) != 0)
    mode(value);
  else
    command(value);
}

void PicChip::initialise(std::uint8_t icw1) {
  edges_ = 0;  // what is high has to rise anew
  service_ = 0;
  mask_ = 0;
  slaves_ = 0;
  lowest_ = kInputs - 1;
  wants_icw4_ = (icw1 & kIcw1WantsIcw4) != 0;
  single_ = (icw1 & kIcw1Single) != 0;
  level_mode_ = (icw1 & kIcw1Level) != 0;
  auto_end_ = false;
  rotates_on_auto_end_ = false;
  fully_nested_ = false;
  special_mask_ = false;
  reads_service_ = false;
  poll_ = false;
  awaited_ = Awaited::icw2;
}

void PicChip::take_icw(std::uint8_t value) {
  const Awaited last = wants_icw4_ ? Awaited::icw4 : Awaited::nothing;
  switch (awaited_) {
    case Awaited::icw2:
      base_ = value & kIcw2Base;
      awaited_ = single_ ? last : Awaited::icw3;
      break;
    case Awaited::icw3:
      slaves_ = value;
      awaited_ = last;
      break;
    default:
      auto_end_ = (value & kIcw4AutoEnd) != 0;
      fully_nested_ = (value & kIcw4FullyNested) != 0;
      awaited_ = Awaited::nothing;
      break;
  }
}

void PicChip::command(std::uint8_t ocw2) {
  const unsigned input = ocw2 & kInput;
  switch (static_cast<Ocw2>(ocw2 >> kOcw2Shift)) {
    case Ocw2::no_auto_rotation:
      rotates_on_auto_end_ = false;
      break;
    case Ocw2::auto_rotation:
      rotates_on_auto_end_ = true;
      break;
    case Ocw2::end:
      end(in_service(), false);
      break;
    case Ocw2::end_and_rotate:
      end(in_service(), true);
      break;
    case Ocw2::end_specific:
      end(input, false);
      break;
    case Ocw2::end_specific_and_rotate:
      end(input, true);
      break;
    case Ocw2::set_lowest:
      lowest_ = input;
      break;
    case Ocw2::nothing:
      break;
  }
}

void PicChip::mode(std::uint8_t ocw3) {
  if ((ocw3 & kOcw3SetSpecialMask) != 0) special_mask_ = (ocw3 & kOcw3SpecialMask) != 0;
  if ((ocw3 & kOcw3SetRead) != 0) reads_service_ = (ocw3 & kOcw3ReadService) != 0;
  poll_ = (ocw3 & kOcw3Poll) != 0;
}

void PicChip::end(unsigned input, bool rotate) {
  if (input == kNothing) return;
  service_ = without(service_, input);
  if (rotate) lowest_ = input;
}

void PicChip::set_input(unsigned input, bool level) {
  const bool was = (levels_ & bit(input)) != 0;
  if (level && !was) edges_ |= bit(input);
  if (!level) edges_ = without(edges_, input);
  levels_ = level ? static_cast<std::uint8_t>(levels_ | bit(input)) : without(levels_, input);
}

std::uint8_t PicChip::requests() const {
  const std::uint8_t by_level = level_mode_ ? std::uint8_t{0xff} : elcr_;
  return static_cast<std::uint8_t>((levels_ & by_level) | (edges_ & ~by_level));
}

unsigned PicChip::first_of(std::uint8_t inputs) const {
  for (unsigned i = 1; i <= kInputs; ++i) {
    const unsigned input = (lowest_ + i) % kInputs;
    if ((inputs & bit(input)) != 0) return input;
  }
  return kNothing;
}

// In special mask mode what is masked neither blocks nor is ended unnamed.
unsigned PicChip::in_service() const {
  return first_of(special_mask_ ? static_cast<std::uint8_t>(service_ & ~mask_) : service_);
}

unsigned PicChip::request() const {
  if (!ready()) return kNothing;
  const unsigned input = first_of(static_cast<std::uint8_t>(requests() & ~mask_));
  if (input == kNothing) return kNothing;
  const unsigned serving = in_service();
  if (serving == kNothing || rank(input) < rank(serving)) return input;
  if (input == serving && fully_nested_ && cascades(input)) return input;
  return kNothing;
}

PicChip::Taken PicChip::take() {
  const unsigned input = request();
  if (input == kNothing) return {.input = kInputs - 1, .spurious = true};
  edges_ = without(edges_, input);
  service_ |= bit(input);
  if (auto_end_) end(input, rotates_on_auto_end_);
  return {.input = input, .spurious = false};
}

}  // namespace vmctl
