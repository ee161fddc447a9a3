// SPDX-License-Identifier: GPL-2.0
#include "dev/pic.hpp"

namespace vmctl {

template <std::size_t... kIrq>
std::array<Pic::Line, Pic::kLines> Pic::make_lines(std::index_sequence<kIrq...> /*irqs*/) {
  return {Line(*this, kIrq)...};
}

Pic::Pic() : lines_(make_lines(std::make_index_sequence<kLines>())) {}

template <class Act>
void Pic::change(Act act) {
  bool rises = false;
  {
    const std::lock_guard guard(mutex_);
    act();
    master_.set_input(kCascade, slave_.output());
    const bool level = master_.output();
    rises = level && !pending_.load(std::memory_order_relaxed);
    pending_.store(level);
  }
  if (rises && on_change_) on_change_();
}

void Pic::ChipPort::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  for (std::uint8_t& byte : data) {
    owner_.change([&] {
      // A poll takes a request as an acknowledgement does, and INT goes low for it.
      if (chip_.polled() && &chip_ == &owner_.slave_) owner_.master_.set_input(kCascade, false);
      byte = offset < kSize ? chip_.read(offset != 0) : std::uint8_t{0xff};
    });
    ++offset;
  }
}

void Pic::ChipPort::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  for (const std::uint8_t byte : data) {
    if (offset >= kSize) return;
    owner_.change([&] { chip_.write(offset != 0, byte); });
    ++offset;
  }
}

void Pic::ElcrPort::read(std::uint64_t offset, std::span<std::uint8_t> data) {
  const std::lock_guard guard(owner_.mutex_);
  for (std::uint8_t& byte : data) {
    byte = offset == 0   ? owner_.master_.elcr()
           : offset == 1 ? owner_.slave_.elcr()
                         : std::uint8_t{0xff};
    ++offset;
  }
}

void Pic::ElcrPort::write(std::uint64_t offset, std::span<const std::uint8_t> data) {
  owner_.change([&] {
    for (const std::uint8_t byte : data) {
      if (offset < kSize) (offset == 0 ? owner_.master_ : owner_.slave_).set_elcr(byte);
      ++offset;
    }
  });
}

void Pic::Line::set(bool level) {
  if (irq_ == kCascade) return;
  owner_.change([&] {
    constexpr unsigned kInputs = kLines / 2;
    (irq_ < kInputs ? owner_.master_ : owner_.slave_).set_input(irq_ % kInputs, level);
  });
}

std::optional<std::uint8_t> Pic::acknowledge() {
  std::optional<std::uint8_t> vector;
  change([&] {
    if (!master_.ready()) return;
    const unsigned input = master_.take().input;
    vector = master_.vector(input);
    if (input != kCascade || !master_.cascades(kCascade)) return;
    // The slave answers. Its INT goes low for it, so that another request is a new edge.
    master_.set_input(kCascade, false);
    vector = slave_.vector(slave_.take().input);
  });
  return vector;
}

bool Pic::listens(unsigned irq) const {
  constexpr unsigned kInputs = kLines / 2;
  const std::lock_guard guard(mutex_);
  if (irq == kCascade || irq >= kLines) return false;
  if (irq < kInputs) return !master_.masks(irq);
  return !slave_.masks(irq % kInputs) && !master_.masks(kCascade);
}

}  // namespace vmctl
