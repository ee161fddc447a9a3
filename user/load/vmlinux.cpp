// SPDX-License-Identifier: GPL-2.0
#include "load/vmlinux.hpp"

#include <fmt/format.h>

#include "load/boot_params.hpp"
#include "load/boot_tables.hpp"
#include "load/elf_file.hpp"
#include "load/elf_load.hpp"

namespace vmctl {

Result<LoadPlan> plan_vmlinux(const BootRequest& request, const Source& image) {
  const ElfFile elf = TRY(read_elf(image));
  const bool wide = elf.bits == ElfClass::elf64;
  LoadPlan plan{.format = Format::vmlinux};
  Room room = request.room();
  TRY(add_elf_segments(plan, room, image, elf));
  plan.entry.mode = wide ? EntryMode::long64 : EntryMode::protected32;
  plan.entry.address =
      elf_holds(elf, elf.entry) ? GuestAddr{elf.entry} : TRY(elf_entry(image, elf, EntryIn::any));
  TRY(check_entry_is_mapped(image, elf, plan.entry.address));
  TRY(add_gdt(plan, room));
  if (wide) TRY(add_identity_map(plan, room));
  TRY(add_boot_params(plan, room, request, image, vmlinux_boot_params()));
  plan.notes.push_back(fmt::format("Linux, uncompressed, {} bits", wide ? 64 : 32));
  return plan;
}

}  // namespace vmctl
