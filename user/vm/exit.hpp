// SPDX-License-Identifier: GPL-2.0
// Why KVM_RUN came back: the run page decoded once, into typed values with bounded spans.
//
// The run page is shared with the kernel and writable for all of this process, so nothing in it is
// believed: every number is read once and checked against the mapping before it is used.
#pragma once

#include "kernel/kvm.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "base/guest_addr.hpp"

namespace vmctl {

enum class Direction : std::uint8_t { in, out };

// `count` accesses of `size` bytes, one after the other, to one port.
struct IoExit {
  Direction direction;
  std::uint8_t size;
  std::uint16_t port;
  std::uint32_t count;
  std::span<std::uint8_t> data;  // size * count bytes of the run mapping
};

struct MmioExit {
  GuestAddr gpa;
  Direction direction;           // out: the guest writes
  std::span<std::uint8_t> data;  // 1 to 8 bytes of the run page
};

// An MSR that the filter keeps from KVM. The answer goes into the run page: `data`, or `refuse` set
// to one for #GP.
struct MsrExit {
  std::uint32_t index;
  Direction direction;  // out: the guest writes
  std::uint64_t value;  // what it writes
  std::span<std::uint8_t> data;
  std::uint8_t& refuse;
};

struct HltExit {};

// The guest takes interrupts from now on, as was asked for.
struct IrqWindowExit {};

// A single step is done, or a breakpoint was met.
struct DebugStopExit {};

struct ShutdownExit {};

struct IntrExit {};

struct FailEntryExit {
  std::uint64_t hardware_reason;
  std::uint32_t cpu;
};

struct InternalErrorExit {
  std::uint32_t suberror;
  std::uint32_t count;  // entries of data that hold something
  std::array<std::uint64_t, 16> data;
};

struct MemoryFaultExit {
  std::uint64_t flags;
  GuestAddr gpa;
  std::uint64_t size;
};

// A reason that this program does not handle; `detail` is what KVM says next to it.
struct OtherExit {
  std::uint32_t reason;
  std::uint64_t detail;
};

// A run page that cannot be true.
struct MalformedExit {
  std::uint32_t reason;
  std::string why;
};

using Exit = std::variant<IoExit, MmioExit, MsrExit, HltExit, IrqWindowExit, DebugStopExit,
                          ShutdownExit, IntrExit, FailEntryExit, InternalErrorExit, MemoryFaultExit,
                          OtherExit, MalformedExit>;

// `mapping` is the whole mapping of a vCPU fd and at least a struct kvm_run long.
Exit decode_exit(std::span<std::uint8_t> mapping);

// KVM's number for what was decoded.
std::uint32_t exit_reason(const Exit& exit);

}  // namespace vmctl
