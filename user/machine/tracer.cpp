// SPDX-License-Identifier: GPL-2.0
#include "machine/tracer.hpp"

#include <fmt/format.h>

#include "machine/exit_text.hpp"

namespace vmctl {
namespace {

struct Wanted {
  const TraceOptions& options;

  bool operator()(const IoExit& io) const {
    return options.shows(TraceKind::io) && options.covers(io.port, io.size);
  }
  bool operator()(const MmioExit& mmio) const {
    return options.shows(TraceKind::mmio) && options.covers(mmio.gpa.value, mmio.data.size());
  }
  bool operator()(const MsrExit& msr) const {
    return options.shows(TraceKind::msr) && options.covers(msr.index, 1);
  }
  bool operator()(const IrqWindowExit& /*exit*/) const { return options.shows(TraceKind::irq); }
  // What it is for is shown by whoever asked for the step.
  bool operator()(const DebugStopExit& /*exit*/) const { return false; }
  template <class Other>
  bool operator()(const Other& /*exit*/) const {
    return options.shows(TraceKind::other);
  }
};

void add(const std::optional<Instruction>& at, std::string& text, nlohmann::json& json) {
  if (!at) return;
  text += "  " + at->text;
  json["instruction"] = at->text;
  json["instruction_rip"] = at->address;
}

}  // namespace

bool Tracer::wanted(const Exit& exit) const {
  return std::visit(Wanted{options_}, exit);
}

void Tracer::write(const std::string& text, const nlohmann::json& json) {
  const std::string line = (options_.json ? json.dump() : text) + "\n";
  const std::lock_guard guard(lock_);
  // A trace that nobody can read any more is not worth the guest's life.
  output_.write({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
}

void Tracer::write_of(std::uint32_t vcpu, const std::string& text, nlohmann::json json) {
  json["vcpu"] = vcpu;
  write((name_vcpus_ ? fmt::format("cpu {} ", vcpu) : "") + text, json);
}

void Tracer::exit(const Vcpu& vcpu, const Exit& exit) {
  if (!wanted(exit)) return;
  const auto regs = vcpu.regs();
  const auto sregs = vcpu.sregs();
  std::string text =
      format_exit(exit, regs ? std::optional<std::uint64_t>(regs->rip) : std::nullopt);
  nlohmann::json json =
      exit_to_json(exit, regs ? std::optional<std::uint64_t>(regs->rip) : std::nullopt);
  if (regs && sregs)
    add(instruction_of(address_space(vcpu, memory_), {*regs, *sregs}, exit), text, json);
  write_of(vcpu.id(), text, std::move(json));
}

void Tracer::line(unsigned irq, bool level) {
  if (!options_.shows(TraceKind::irq)) return;
  write(fmt::format("irq {} {}", irq, level ? "raised" : "lowered"),
        {{"irq", irq}, {"level", level ? 1 : 0}});
}

void Tracer::injected(std::uint32_t vcpu, std::uint8_t vector) {
  if (!options_.shows(TraceKind::irq)) return;
  write_of(vcpu, fmt::format("interrupt {:#x} injected", vector), {{"interrupt", vector}});
}

void Tracer::control(std::uint32_t vcpu, const ControlChange& change,
                     const std::optional<Instruction>& at) {
  std::string text = format_change(change);
  nlohmann::json json{{"register", change.name},
                      {"before", change.before},
                      {"after", change.after},
                      {"set", change.set},
                      {"cleared", change.cleared}};
  if (at) {
    text += fmt::format(" rip {:#x}", at->address);
    json["rip"] = at->address;
  }
  add(at, text, json);
  write_of(vcpu, text, std::move(json));
}

void Tracer::cpuid(std::uint32_t vcpu, const kvm_regs& before, const kvm_regs& after) {
  const auto low = [](std::uint64_t value) { return value & 0xffffffff; };
  write_of(vcpu,
           fmt::format("cpuid leaf {:#x} subleaf {:#x} eax {:#x} ebx {:#x} ecx {:#x} edx {:#x} "
                       "rip {:#x}",
                       low(before.rax), low(before.rcx), low(after.rax), low(after.rbx),
                       low(after.rcx), low(after.rdx), before.rip),
           {{"cpuid", low(before.rax)},
            {"subleaf", low(before.rcx)},
            {"eax", low(after.rax)},
            {"ebx", low(after.rbx)},
            {"ecx", low(after.rcx)},
            {"edx", low(after.rdx)},
            {"rip", before.rip}});
}

}  // namespace vmctl
