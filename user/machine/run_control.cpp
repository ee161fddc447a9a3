// SPDX-License-Identifier: GPL-2.0
#include "machine/run_control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/bytes.hpp"
#include "base/size.hpp"
#include "machine/disassembly.hpp"
#include "machine/dump.hpp"

namespace vmctl {
namespace {

constexpr int kPatienceMs = 1000;
constexpr std::uint64_t kDumpMax = 4096;
constexpr std::size_t kRow = 16;

std::string_view state_name(VcpuLoop::State state) {
  switch (state) {
    case VcpuLoop::State::runs:
      return "runs";
    case VcpuLoop::State::halted:
      return "halted";
    case VcpuLoop::State::paused:
      return "paused";
    case VcpuLoop::State::done:
      break;
  }
  return "done";
}

// "IO 12, HLT 3"; the kernel's figures where it counts.
std::string exits_of(const Machine& machine, const VcpuLoop& loop) {
  RunStats stats = loop.stats().seen();
  if (machine.vm().is_vmctl())
    if (const auto kernel = loop.vcpu().stats()) stats = from_kernel(*kernel);
  std::string text;
  for (std::size_t reason = 0; reason < stats.exits.size(); ++reason) {
    if (stats.exits[reason] == 0) continue;
    std::string name = reason_name(reason);
    constexpr std::string_view kPrefix = "KVM_EXIT_";
    if (name.starts_with(kPrefix)) name.erase(0, kPrefix.size());
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, stats.exits[reason]);
  }
  return text.empty() ? "none" : text;
}

std::string_view mode_name(const kvm_sregs& sregs) {
  switch (code_size(sregs)) {
    case CodeSize::bits16:
      return (sregs.cr0 & 1) == 0 ? "real mode" : "protected mode, 16-bit code";
    case CodeSize::bits32:
      return "32-bit code";
    case CodeSize::bits64:
      break;
  }
  return "64-bit code";
}

std::string dump_row(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes)
    text += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '.';
  return fmt::format("{:016x}  {:<47}  {}\n", address, hex(bytes, " "), text);
}

}  // namespace

// The vCPUs are out of the guest while it lives.
class RunControl::Held {
 public:
  explicit Held(RunControl& control) : control_(control) {
    if (!control_.paused_) control_.bring_out();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held() {
    if (!control_.paused_) control_.let_go();
  }

 private:
  RunControl& control_;
};

bool RunControl::is_out(const VcpuLoop& loop) {
  return loop.state() != VcpuLoop::State::runs;
}

// One that waits for the reader of its output may stay where it is.
void RunControl::bring_out() {
  brake_.pull();
  for (const VcpuLoop& loop : loops_) loop.kick();
  for (int i = 0; i < kPatienceMs && !std::ranges::all_of(loops_, is_out); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void RunControl::let_go() {
  // So that a guest's watchdog knows (api.rst 4.78); kernels and guests without it do not mind.
  for (const VcpuLoop& loop : loops_)
    if (is_out(loop)) loop.vcpu().tell_of_pause();
  brake_.release();
}

std::string RunControl::info() {
  const std::lock_guard guard(lock_);
  const Vm& vm = machine_.vm();
  std::uint64_t memory = 0;
  for (const MemoryRegion& region : machine_.memory().regions()) memory += region.bytes.size();
  std::string text =
      fmt::format("{}, {} of memory, {} vCPUs, {} for {:.1f} s\n",
                  vm.is_vmctl() ? fmt::format("VM {}", vm.id()) : "a VM of raw KVM",
                  format_size(memory), loops_.size(), paused_ ? "paused; up" : "up",
                  std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count());
  for (const VcpuLoop& loop : loops_)
    text += fmt::format("vCPU {}: {}; exits: {}\n", loop.vcpu().id(), state_name(loop.state()),
                        exits_of(machine_, loop));
  return text;
}

std::string RunControl::registers() {
  const std::lock_guard guard(lock_);
  const Held held(*this);
  std::string text;
  for (const VcpuLoop& loop : loops_) {
    text += fmt::format("vCPU {}\n", loop.vcpu().id());
    text += is_out(loop) ? dump_vcpu(loop.vcpu(), machine_.memory())
                         : "  (does not come out: does its output wait for a reader?)";
    text += "\n";
  }
  return text;
}

Result<std::string> RunControl::dump(GuestAddr at, std::uint64_t length) {
  if (length == 0 || length > kDumpMax)
    return fail({.status = Status::usage,
                 .what = fmt::format("{} bytes", length),
                 .why = fmt::format("a dump is of 1 to {}", kDumpMax)});
  const auto bytes = TRY(machine_.memory().span(at, length));
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += kRow)
    text += dump_row(at.value + i, bytes.subspan(i, std::min(kRow, bytes.size() - i)));
  return text;
}

bool RunControl::pause() {
  const std::lock_guard guard(lock_);
  if (paused_) return false;
  bring_out();
  paused_ = true;
  return true;
}

bool RunControl::resume() {
  const std::lock_guard guard(lock_);
  if (!paused_) return false;
  paused_ = false;
  let_go();
  return true;
}

Result<> RunControl::nmi(std::uint32_t vcpu) {
  const std::lock_guard guard(lock_);
  const auto refuse = [&](std::string why) {
    return fail({.status = Status::usage,
                 .what = fmt::format("an NMI for vCPU {}", vcpu),
                 .why = std::move(why)});
  };
  if (vcpu >= loops_.size()) return refuse(fmt::format("there are {}, from 0 on", loops_.size()));
  const Held held(*this);
  const VcpuLoop& loop = loops_[vcpu];
  if (!is_out(loop)) return refuse("it does not come out of what it does");
  if (loop.state() == VcpuLoop::State::done) return refuse("it has ended");
  TRY(loop.vcpu().nmi());
  return {};
}

Result<> RunControl::power_down() {
  if (machine_.devices().press_power_button()) return {};
  return fail({.status = Status::usage,
               .what = "powerdown",
               .why = "the guest has no power button that it listens to",
               .advice = "quit ends the machine"});
}

void RunControl::quit(const std::string& who) {
  machine_.ending().end({.kind = EndKind::signal,
                         .status = 128 + SIGINT,
                         .reason = fmt::format("ended {}", who),
                         .details = ""});
}

std::string RunControl::whereabouts() {
  const std::lock_guard guard(lock_);
  const Held held(*this);
  const VcpuLoop& loop = loops_.front();
  std::string where = "does not come out";
  if (is_out(loop)) {
    const auto regs = loop.vcpu().regs();
    const auto sregs = loop.vcpu().sregs();
    where = regs && sregs ? fmt::format("at rip {:#x}, {}", regs->rip, mode_name(*sregs))
                          : "whose registers cannot be read";
  }
  return fmt::format("vCPU {} {}; exits so far: {}", loop.vcpu().id(), where,
                     exits_of(machine_, loop));
}

}  // namespace vmctl
