// SPDX-License-Identifier: GPL-2.0
#include "vm/exit_name.hpp"

#include <fmt/format.h>
#include "kernel/kvm.hpp"

#include <array>
#include <string_view>

namespace vmctl {
namespace {

// By number, as of Linux 7.0.
constexpr auto kExits = std::to_array<std::string_view>({
    "UNKNOWN",
    "EXCEPTION",
    "IO",
    "HYPERCALL",
    "DEBUG",
    "HLT",
    "MMIO",
    "IRQ_WINDOW_OPEN",
    "SHUTDOWN",
    "FAIL_ENTRY",
    "INTR",
    "SET_TPR",
    "TPR_ACCESS",
    "S390_SIEIC",
    "S390_RESET",
    "DCR",
    "NMI",
    "INTERNAL_ERROR",
    "OSI",
    "PAPR_HCALL",
    "S390_UCONTROL",
    "WATCHDOG",
    "S390_TSCH",
    "EPR",
    "SYSTEM_EVENT",
    "S390_STSI",
    "IOAPIC_EOI",
    "HYPERV",
    "ARM_NISV",
    "X86_RDMSR",
    "X86_WRMSR",
    "DIRTY_RING_FULL",
    "AP_RESET_HOLD",
    "X86_BUS_LOCK",
    "XEN",
    "RISCV_SBI",
    "RISCV_CSR",
    "NOTIFY",
    "LOONGARCH_IOCSR",
    "MEMORY_FAULT",
    "TDX",
    "ARM_SEA",
    "ARM_LDST64B",
    "SNP_REQ_CERTS",
});
static_assert(kExits[KVM_EXIT_IO] == "IO");
static_assert(kExits[KVM_EXIT_INTERNAL_ERROR] == "INTERNAL_ERROR");
static_assert(kExits[KVM_EXIT_X86_WRMSR] == "X86_WRMSR");
static_assert(kExits[KVM_EXIT_NOTIFY] == "NOTIFY");
static_assert(kExits[kExitMemoryFault] == "MEMORY_FAULT");

constexpr auto kSuberrors = std::to_array<std::string_view>({
    "",
    "EMULATION",
    "SIMUL_EX",
    "DELIVERY_EV",
    "UNEXPECTED_EXIT_REASON",
});

template <std::size_t N>
std::string name_in(const std::array<std::string_view, N>& table, std::string_view prefix,
                    std::uint32_t number) {
  if (number < N && !table[number].empty()) return fmt::format("{}{}", prefix, table[number]);
  return fmt::format("{}{}", prefix, number);
}

}  // namespace

std::string exit_name(std::uint32_t reason) {
  return name_in(kExits, "KVM_EXIT_", reason);
}

std::string suberror_name(std::uint32_t suberror) {
  return name_in(kSuberrors, "KVM_INTERNAL_ERROR_", suberror);
}

}  // namespace vmctl
