// SPDX-License-Identifier: GPL-2.0
// A bzImage in memory, as small as can be, whose every field can be set.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "load/boot_params.hpp"

namespace vmctl::test {

struct LinuxFile {
  static constexpr std::uint64_t kHeader = 0x1f1;
  static constexpr std::uint64_t kCode = 2 * 512;  // behind one sector of setup

  setup_header header{};
  std::string version = "6.1.0-test (me@here) #1";  // at 0x300
  std::uint64_t code_size = 0x1000;
  std::string payload =
      "\xfd"
      "7zXZ";  // at 0x400 of the code

  // Protocol 2.15, 64 bits, relocatable, as Debian's.
  LinuxFile() {
    header.setup_sects = 1;
    header.syssize = 0x100;
    header.boot_flag = 0xaa55;
    header.jump = 0x6aeb;  // to 0x26c
    header.header = 0x53726448;
    header.version = 0x20f;
    header.kernel_version = 0x100;
    header.loadflags = LOADED_HIGH;
    header.code32_start = 0x100000;
    header.initrd_addr_max = 0x7fffffff;
    header.kernel_alignment = 0x200000;
    header.relocatable_kernel = 1;
    header.xloadflags = XLF_KERNEL_64;
    header.cmdline_size = 2047;
    header.payload_offset = 0x400;
    header.payload_length = 0x100;
    header.pref_address = 0x1000000;
    header.init_size = 0x800000;
  }

  std::vector<std::uint8_t> bytes() const {
    std::vector<std::uint8_t> file(kCode + code_size);
    if (file.size() < kHeader + sizeof header) return file;
    std::memcpy(file.data() + kHeader, &header, sizeof header);
    std::memcpy(file.data() + 0x300, version.data(), version.size());
    if (code_size >= 0x400 + payload.size())
      std::memcpy(file.data() + kCode + 0x400, payload.data(), payload.size());
    return file;
  }
};

}  // namespace vmctl::test
