// SPDX-License-Identifier: GPL-2.0
// The guest's memory, and the one checked door to it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/guest_addr.hpp"
#include "base/mapping.hpp"
#include "base/result.hpp"

namespace vmctl {

// One range of guest physical addresses backed by our memory: a KVM memory slot.
struct MemoryRegion {
  GuestAddr gpa;
  std::span<std::uint8_t> bytes;
};

struct MemoryRange {
  GuestAddr gpa;
  std::uint64_t size;
};

class GuestMemory {
 public:
  // `low_end`: where memory from 0 stops and `high_start` where the rest goes on, since devices
  // and KVM's own pages live between them.
  static Result<GuestMemory> create(std::uint64_t size, GuestAddr low_end, GuestAddr high_start);

  // The bytes at gpa, all of them within one region; or an error that names the range.
  Result<std::span<std::uint8_t>> span(GuestAddr gpa, std::uint64_t length) const;

  const std::vector<MemoryRegion>& regions() const { return regions_; }
  // Where the memory that begins at address 0 ends.
  std::uint64_t low_end() const { return regions_.front().bytes.size(); }

 private:
  explicit GuestMemory(Mapping mapping) : mapping_(std::move(mapping)) {}

  Mapping mapping_;
  std::vector<MemoryRegion> regions_;
};

}  // namespace vmctl
