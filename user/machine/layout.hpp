// SPDX-License-Identifier: GPL-2.0
// The machine's map: every address and port that is somebody's, in one place.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/guest_addr.hpp"
#include "dev/debug_exit.hpp"
#include "dev/serial.hpp"

namespace vmctl::layout {

struct Range {
  std::string_view name;
  std::uint64_t base;
  std::uint64_t size;
};

template <std::size_t N>
consteval bool disjoint(const std::array<Range, N>& map) {
  for (std::size_t i = 0; i < N; ++i) {
    if (map[i].size == 0 || map[i].base + map[i].size < map[i].base) return false;
    for (std::size_t j = 0; j < i; ++j)
      if (map[i].base < map[j].base + map[j].size && map[j].base < map[i].base + map[i].size)
        return false;
  }
  return true;
}

inline constexpr std::uint64_t kKiB = 1024;
inline constexpr std::uint64_t kMiB = 1024 * kKiB;
inline constexpr std::uint64_t kGiB = 1024 * kMiB;
inline constexpr std::uint64_t kPageSize = 4 * kKiB;
// The most that one memory slot of KVM's holds (KVM_MEM_MAX_NR_PAGES).
inline constexpr std::uint64_t kSlotMax = ((1ULL << 31) - 1) * kPageSize;

// Guest physical addresses. Memory from 0 up to 3 GiB, the rest of it from 4 GiB on; what lies
// between is for devices and for KVM's own pages.
inline constexpr Range kLowMemory{"memory below 4 GiB", 0, 3 * kGiB};
inline constexpr Range kIdentityMap{"KVM's identity map", 0xfffbc000, kPageSize};
inline constexpr Range kTss{"KVM's task state", 0xfffbd000, 3 * kPageSize};
inline constexpr Range kHighMemory{"memory above 4 GiB", 4 * kGiB, kSlotMax};

inline constexpr std::array kMemoryMap{kLowMemory, kIdentityMap, kTss, kHighMemory};
static_assert(disjoint(kMemoryMap));

// Ports.
inline constexpr Range kDebugExit{"debug-exit", 0xf4, DebugExit::kSize};
inline constexpr Range kSerial{"serial", 0x3f8, Serial::kSize};

inline constexpr std::array kPortMap{kDebugExit, kSerial};
static_assert(disjoint(kPortMap));

// What --mem may say.
inline constexpr std::uint64_t kMemoryDefault = 64 * kMiB;
inline constexpr std::uint64_t kMemoryMax = kLowMemory.size + kHighMemory.size;

// Where a flat binary goes if nothing else is said.
inline constexpr GuestAddr kFlatAddress{0x1000};

}  // namespace vmctl::layout
