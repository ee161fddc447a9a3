// SPDX-License-Identifier: GPL-2.0
#include "machine/start.hpp"

#include "load/boot_tables.hpp"
#include "vm/real_mode.hpp"

namespace vmctl {

Result<> check_entry(const Entry& entry) {
  if (entry.mode == EntryMode::real) TRY(real_mode_entry(entry.address));
  return {};
}

Result<> start_vcpu(const Vcpu& vcpu, const Entry& entry, std::span<const RegisterValue> values) {
  if (entry.mode == EntryMode::real) return vcpu.reset(TRY(real_mode_entry(entry.address)), values);
  FlatStart start{.long_mode = entry.mode == EntryMode::long64,
                  .regs = {},
                  .code_selector = kCodeSelector,
                  .data_selector = kDataSelector,
                  .gdt = {.base = entry.gdt.value, .limit = entry.gdt_limit, .padding = {}},
                  .page_table = entry.page_table};
  start.regs.rip = entry.address.value;
  start.regs.rax = entry.rax;
  start.regs.rbx = entry.rbx;
  start.regs.rsi = entry.rsi;
  start.regs.rsp = entry.rsp;
  return vcpu.reset(start, values);
}

}  // namespace vmctl
