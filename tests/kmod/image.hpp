// SPDX-License-Identifier: GPL-2.0-only
//
// Images for VMCTL_LOAD_IMAGE: files of known bytes.
#pragma once

#include <span>

#include "driver.hpp"
#include "sha256.hpp"

namespace t {

// No two of its 4-byte words are alike, so that a shift by any amount shows.
Bytes pattern(std::size_t size, std::uint32_t seed = 1);
Fd file_of(std::span<const std::uint8_t> bytes);
std::string digest_text(const vmctl_load_image& image);  // as the table writes it
std::string digest_text(std::span<const std::uint8_t> bytes);

// A VM with slots that can be laid out freely, and no vCPU.
struct BareVm {
  std::uint32_t id = 0;
  Fd system = open_device();
  Fd vm{create_vm(system, "load", &id)};

  [[nodiscard]] std::string digest() const { return row_of(id).value_or(Row{}).image; }
};

}  // namespace t
