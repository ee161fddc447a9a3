// SPDX-License-Identifier: GPL-2.0
#include "console/ring.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vmctl {

void Ring::write(std::span<const std::uint8_t> bytes) {
  end_ += bytes.size();
  if (bytes.size() > capacity_) bytes = bytes.last(capacity_);
  const auto grown = bytes.first(std::min(bytes.size(), capacity_ - bytes_.size()));
  bytes_.insert(bytes_.end(), grown.begin(), grown.end());
  bytes = bytes.subspan(grown.size());
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), capacity_ - next_));
    std::copy(piece.begin(), piece.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(next_));
    next_ = (next_ + piece.size()) % capacity_;
    bytes = bytes.subspan(piece.size());
  }
}

std::span<const std::uint8_t> Ring::at(std::uint64_t position) const {
  const auto age = static_cast<std::size_t>(position - begin());
  if (age >= bytes_.size()) return {};
  const std::size_t index = (next_ + age) % bytes_.size();
  const std::size_t end = index < next_ ? next_ : bytes_.size();
  return std::span(bytes_).subspan(index, end - index);
}

std::span<const std::uint8_t> RingReader::next(const Ring& ring) {
  if (position_ < ring.begin()) {
    const std::uint64_t missed = ring.begin() - position_;
    position_ = ring.begin();
    lost_ += missed;
    untold_ += missed;
  }
  if (notice_.empty() && untold_ > 0)
    notice_ = fmt::format("\r\n[{} bytes lost]\r\n", std::exchange(untold_, 0));
  if (!notice_.empty())
    return {reinterpret_cast<const std::uint8_t*>(notice_.data()), notice_.size()};
  return ring.at(position_);
}

void RingReader::took(std::size_t count) {
  if (notice_.empty())
    position_ += count;
  else
    notice_.erase(0, count);
}

}  // namespace vmctl
