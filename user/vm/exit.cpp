// SPDX-License-Identifier: GPL-2.0
#include "vm/exit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

// One read of a member, at its offset and of its type, of a page that may change under us.
template <class T>
T read_once(std::span<const std::uint8_t> mapping, std::size_t offset) {
  T value;
  std::memcpy(&value, mapping.data() + offset, sizeof value);
  // The value is now ours: the compiler must not fetch it again.
  asm volatile("" : "+m"(value));
  return value;
}

#define READ_ONCE(mapping, member) \
  read_once<decltype(kvm_run::member)>(mapping, offsetof(kvm_run, member))

Exit decode_io(std::span<std::uint8_t> mapping) {
  const auto direction = READ_ONCE(mapping, io.direction);
  const auto size = READ_ONCE(mapping, io.size);
  const auto port = READ_ONCE(mapping, io.port);
  const auto count = READ_ONCE(mapping, io.count);
  const auto offset = READ_ONCE(mapping, io.data_offset);

  if (direction != KVM_EXIT_IO_IN && direction != KVM_EXIT_IO_OUT)
    return MalformedExit{KVM_EXIT_IO, fmt::format("direction {}", direction)};
  if (size != 1 && size != 2 && size != 4)
    return MalformedExit{KVM_EXIT_IO, fmt::format("size {}", size)};
  if (count == 0) return MalformedExit{KVM_EXIT_IO, "count 0"};
  const std::uint64_t length = std::uint64_t{size} * count;  // 34 bits at most
  if (offset < sizeof(kvm_run) || offset > mapping.size() || length > mapping.size() - offset)
    return MalformedExit{KVM_EXIT_IO,
                         fmt::format("{} bytes of data at offset {:#x} of a mapping of {} bytes",
                                     length, offset, mapping.size())};
  return IoExit{.direction = direction == KVM_EXIT_IO_IN ? Direction::in : Direction::out,
                .size = size,
                .port = port,
                .count = count,
                .data = mapping.subspan(offset, length)};
}

Exit decode_mmio(std::span<std::uint8_t> mapping) {
  const auto gpa = READ_ONCE(mapping, mmio.phys_addr);
  const auto length = READ_ONCE(mapping, mmio.len);
  const auto is_write = READ_ONCE(mapping, mmio.is_write);
  if (length == 0 || length > sizeof(kvm_run::mmio.data))
    return MalformedExit{KVM_EXIT_MMIO, fmt::format("length {}", length)};
  return MmioExit{.gpa = GuestAddr{gpa},
                  .direction = is_write != 0 ? Direction::out : Direction::in,
                  .data = mapping.subspan(offsetof(kvm_run, mmio.data), length)};
}

Exit decode_msr(std::span<std::uint8_t> mapping, Direction direction) {
  return MsrExit{.index = READ_ONCE(mapping, msr.index),
                 .direction = direction,
                 .value = READ_ONCE(mapping, msr.data),
                 .data = mapping.subspan(offsetof(kvm_run, msr.data), sizeof(kvm_run::msr.data)),
                 .refuse = mapping[offsetof(kvm_run, msr.error)]};
}

Exit decode_internal_error(std::span<const std::uint8_t> mapping) {
  InternalErrorExit exit{.suberror = READ_ONCE(mapping, internal.suberror), .count = 0, .data = {}};
  const auto count = READ_ONCE(mapping, internal.ndata);
  exit.count = std::min(count, static_cast<std::uint32_t>(exit.data.size()));
  std::memcpy(exit.data.data(), mapping.data() + offsetof(kvm_run, internal.data),
              exit.count * sizeof(std::uint64_t));
  return exit;
}

// The union of struct kvm_run, as KVM_EXIT_MEMORY_FAULT (Linux 6.8) fills it; older headers have
// no name for it.
Exit decode_memory_fault(std::span<const std::uint8_t> mapping) {
  constexpr std::size_t kUnion = offsetof(kvm_run, hw);
  return MemoryFaultExit{.flags = read_once<std::uint64_t>(mapping, kUnion),
                         .gpa = GuestAddr{read_once<std::uint64_t>(mapping, kUnion + 8)},
                         .size = read_once<std::uint64_t>(mapping, kUnion + 16)};
}

}  // namespace

Exit decode_exit(std::span<std::uint8_t> mapping) {
  const auto reason = READ_ONCE(mapping, exit_reason);
  switch (reason) {
    case KVM_EXIT_IO:
      return decode_io(mapping);
    case KVM_EXIT_MMIO:
      return decode_mmio(mapping);
    case KVM_EXIT_X86_RDMSR:
      return decode_msr(mapping, Direction::in);
    case KVM_EXIT_X86_WRMSR:
      return decode_msr(mapping, Direction::out);
    case KVM_EXIT_HLT:
      return HltExit{};
    case KVM_EXIT_IRQ_WINDOW_OPEN:
      return IrqWindowExit{};
    case KVM_EXIT_DEBUG:
      return DebugStopExit{};
    case KVM_EXIT_SHUTDOWN:
      return ShutdownExit{};
    case KVM_EXIT_INTR:
      return IntrExit{};
    case KVM_EXIT_FAIL_ENTRY:
      return FailEntryExit{
          .hardware_reason = READ_ONCE(mapping, fail_entry.hardware_entry_failure_reason),
          .cpu = READ_ONCE(mapping, fail_entry.cpu)};
    case KVM_EXIT_INTERNAL_ERROR:
      return decode_internal_error(mapping);
    case kExitMemoryFault:
      return decode_memory_fault(mapping);
    default:
      return OtherExit{.reason = reason, .detail = READ_ONCE(mapping, hw.hardware_exit_reason)};
  }
}

std::uint32_t exit_reason(const Exit& exit) {
  struct Visitor {
    std::uint32_t operator()(const IoExit&) const { return KVM_EXIT_IO; }
    std::uint32_t operator()(const MmioExit&) const { return KVM_EXIT_MMIO; }
    std::uint32_t operator()(const MsrExit& msr) const {
      return msr.direction == Direction::in ? KVM_EXIT_X86_RDMSR : KVM_EXIT_X86_WRMSR;
    }
    std::uint32_t operator()(const HltExit&) const { return KVM_EXIT_HLT; }
    std::uint32_t operator()(const IrqWindowExit&) const { return KVM_EXIT_IRQ_WINDOW_OPEN; }
    std::uint32_t operator()(const DebugStopExit&) const { return KVM_EXIT_DEBUG; }
    std::uint32_t operator()(const ShutdownExit&) const { return KVM_EXIT_SHUTDOWN; }
    std::uint32_t operator()(const IntrExit&) const { return KVM_EXIT_INTR; }
    std::uint32_t operator()(const FailEntryExit&) const { return KVM_EXIT_FAIL_ENTRY; }
    std::uint32_t operator()(const InternalErrorExit&) const { return KVM_EXIT_INTERNAL_ERROR; }
    std::uint32_t operator()(const MemoryFaultExit&) const { return kExitMemoryFault; }
    std::uint32_t operator()(const OtherExit& other) const { return other.reason; }
    std::uint32_t operator()(const MalformedExit& malformed) const { return malformed.reason; }
  };
  return std::visit(Visitor{}, exit);
}

}  // namespace vmctl
