// SPDX-License-Identifier: GPL-2.0
#include "load/address_fields.hpp"

#include <fmt/format.h>

namespace vmctl {

Result<Segment> address_segment(const Source& source, const AddressFields& fields,
                                std::uint64_t header_at, std::uint64_t fields_at) {
  const auto refuse = [&](const char* field, std::uint64_t at, std::uint32_t found,
                          std::string allowed) {
    return reject(source, {.field = field,
                           .offset = at,
                           .found = fmt::format("{:#x}", found),
                           .allowed = std::move(allowed)});
  };
  const std::uint64_t load_at = fields_at + sizeof fields.header_addr;
  const std::uint64_t load_end_at = load_at + sizeof fields.load_addr;
  const std::uint64_t bss_end_at = load_end_at + sizeof fields.load_end_addr;

  if (fields.load_addr > fields.header_addr)
    return refuse("load_addr", load_at, fields.load_addr,
                  fmt::format("at most header_addr, {:#x}", fields.header_addr));
  const std::uint64_t before = fields.header_addr - fields.load_addr;
  if (before > header_at)
    return refuse("load_addr", load_at, fields.load_addr,
                  fmt::format("at least {:#x}, as the header is {:#x} bytes into the file",
                              fields.header_addr - header_at, header_at));
  Segment segment{.offset = header_at - before,
                  .length = source.size() - (header_at - before),
                  .gpa = GuestAddr{fields.load_addr},
                  .name = "image"};
  if (fields.load_end_addr != 0) {
    if (fields.load_end_addr <= fields.header_addr)
      return refuse("load_end_addr", load_end_at, fields.load_end_addr,
                    fmt::format("more than header_addr, {:#x}, or 0", fields.header_addr));
    segment.length = fields.load_end_addr - fields.load_addr;
    TRY(check_within(source, "load_end_addr less load_addr, bytes", segment.offset,
                     segment.length));
  }
  segment.memory_length = segment.length;
  if (fields.bss_end_addr != 0) {
    if (fields.bss_end_addr < fields.load_addr + segment.length)
      return refuse("bss_end_addr", bss_end_at, fields.bss_end_addr,
                    fmt::format("at least the end of what is loaded, {:#x}, or 0",
                                fields.load_addr + segment.length));
    segment.memory_length = fields.bss_end_addr - fields.load_addr;
  }
  return segment;
}

}  // namespace vmctl
