// SPDX-License-Identifier: GPL-2.0-only
//
// SHA-256 (FIPS 180-4), written plainly: the reference for the driver's digests.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace t {

std::array<std::uint8_t, 32> sha256(std::span<const std::uint8_t> data);
std::string hex(std::span<const std::uint8_t> data);

}  // namespace t
