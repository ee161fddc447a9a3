// SPDX-License-Identifier: GPL-2.0
// This machine as its firmware would tell of it.
#pragma once

#include <cstdint>
#include <memory>

#include "bus/memory.hpp"
#include "firmware/firmware.hpp"
#include "machine/devices.hpp"
#include "vm/cpuid.hpp"

namespace vmctl {

firmware::Platform describe_platform(const DevicesConfig& devices, std::uint32_t cpus,
                                     const Cpuid& cpuid);

// Writes it where it belongs. The memory reaches up to 1 MiB at least.
Result<> write_firmware(const GuestMemory& memory, const firmware::Firmware& firmware);

}  // namespace vmctl
