// SPDX-License-Identifier: GPL-2.0
#include "machine/vcpu_loop.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <thread>

#include "base/overloaded.hpp"
#include "kernel/quota.hpp"
#include "machine/dump.hpp"
#include "machine/exit_text.hpp"
#include "run/kick.hpp"
#include "vm/exit_name.hpp"

namespace vmctl {

VcpuLoop::VcpuLoop(Machine& machine, const Vcpu& vcpu, Options options)
    : machine_(machine), vcpu_(vcpu), options_(std::move(options)) {
  if (options_.tracer != nullptr && options_.tracer->options().steps())
    stepper_.emplace(vcpu_, machine_.memory(), *options_.tracer);
}

SysResult<Exit> VcpuLoop::run_once() {
  if (!options_.timed) return vcpu_.run();
  using Steady = std::chrono::steady_clock;
  const auto start = Steady::now();
  auto exit = vcpu_.run();
  stats_.run_ns += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Steady::now() - start).count());
  return exit;
}

VcpuLoop::Next VcpuLoop::step() {
  auto exit = run_once();
  if (!exit) return handle_error(exit.error());
  stats_.count(exit_reason(*exit));
  turns_.store(turns() + 1, std::memory_order_relaxed);
  // A halt before it waits, the others with what the devices answered.
  const bool halts = std::holds_alternative<HltExit>(*exit);
  if (options_.tracer != nullptr && halts) options_.tracer->exit(vcpu_, *exit);
  const Next next = handle(*exit);
  if (options_.tracer != nullptr && !halts) options_.tracer->exit(vcpu_, *exit);
  return next;
}

void VcpuLoop::run() {
  thread_ = ::pthread_self();
  Next next = Next::go_on;
  while (next == Next::go_on && !machine_.ending().stopping()) {
    if (options_.pic != nullptr) inject();
    if (stepper_) stepper_->before();
    next = step();
    if (stepper_) stepper_->after();
  }
  thread_ = 0;
  state_ = State::done;
}

void VcpuLoop::kick() const {
  const pthread_t thread = thread_;
  if (thread == ::pthread_self()) return;
  vcpu_.set_immediate_exit(true);
  if (thread != 0) ::pthread_kill(thread, kick_signal());
}

void VcpuLoop::look() {
  still_ = false;
  asked_ = true;
  kick();
}

void VcpuLoop::inject() {
  Pic& pic = *options_.pic;
  if (!pic.pending() && !window_) return;
  if (pic.pending() && vcpu_.ready_for_interrupt()) {
    // A vCPU that cannot take it says so in KVM_RUN.
    if (const auto vector = pic.acknowledge(); vector && vcpu_.interrupt(*vector))
      if (options_.tracer != nullptr) options_.tracer->injected(vcpu_.id(), *vector);
  }
  window_ = pic.pending();
  vcpu_.request_interrupt_window(window_);
}

VcpuLoop::Next VcpuLoop::end(EndKind kind, Status status, std::string reason) const {
  const bool dump = kind == EndKind::triple_fault || kind == EndKind::unhandled_exit ||
                    kind == EndKind::kvm_failure;
  machine_.ending().end({.kind = kind,
                         .status = static_cast<int>(status),
                         .reason = fmt::format("vCPU {}: {}", vcpu_.id(), reason),
                         .details = dump ? dump_vcpu(vcpu_, machine_.memory()) : ""});
  return Next::done;
}

VcpuLoop::Next VcpuLoop::handle_error(Errno error) {
  switch (error.code) {
    case EINTR:
      stats_.count(KVM_EXIT_INTR);
      // Before run() looks whether it is to stop, and for interrupts: a kick after that counts.
      vcpu_.set_immediate_exit(false);
      if (asked_.exchange(false)) still_ = vcpu_.lies_still();
      if (options_.brake != nullptr && options_.brake->pulled()) {
        state_ = State::paused;
        options_.brake->wait();
        state_ = State::runs;
      }
      return Next::go_on;
    case EAGAIN:
      ++stats_.errors;
      std::this_thread::yield();  // the vCPU waits for something that is not there yet
      return Next::go_on;
    case ENODEV:
    case EPERM:
    case EDQUOT: {
      ++stats_.errors;
      const Error explained = explain_charged(ioc::run.name, error);
      return end(
          EndKind::refused, Status::refused,
          error.code == ENODEV && machine_.vm().is_vmctl()
              ? fmt::format("VM {} was revoked (vmctl dmesg says by whom)", machine_.vm().id())
              : explained.text());
    }
    default:
      ++stats_.errors;
      return end(EndKind::kvm_failure, Status::kvm_failure,
                 fmt::format("KVM_RUN failed: {}", errno_text(error.code)));
  }
}

void VcpuLoop::access(IoExit& io) const {
  if (io.direction == Direction::in)
    machine_.ports().read(io.port, io.size, io.data);
  else
    machine_.ports().write(io.port, io.size, io.data);
}

VcpuLoop::Next VcpuLoop::access(MmioExit& mmio) const {
  if (mmio.direction == Direction::in) {
    machine_.mmio().read(mmio.gpa.value, mmio.data.size(), mmio.data);
    return Next::go_on;
  }
  if (machine_.mmio().write(mmio.gpa.value, mmio.data.size(), mmio.data) ||
      !machine_.memory().span(mmio.gpa, mmio.data.size()))
    return Next::go_on;
  // Memory makes exits where it is read-only.
  return end(EndKind::unhandled_exit, Status::unhandled_exit,
             fmt::format("the guest writes {} bytes to gpa {:#x}, which its image has as read-only",
                         mmio.data.size(), mmio.gpa.value));
}

void VcpuLoop::access(MsrExit& msr) const {
  if (msr.direction == Direction::out) {
    msr.refuse = machine_.msrs().write(msr.index, msr.value) ? 0 : 1;
    return;
  }
  const auto value = machine_.msrs().read(msr.index);
  msr.refuse = value ? 0 : 1;
  const std::uint64_t answer = value.value_or(0);
  for (std::size_t i = 0; i < msr.data.size(); ++i)
    msr.data[i] = static_cast<std::uint8_t>(answer >> 8 * i);
}

// Only who takes interrupts, and has them enabled, can be woken.
VcpuLoop::Next VcpuLoop::halt() const {
  if (options_.pic == nullptr || !vcpu_.interrupts_enabled()) return Next::done;
  state_ = State::halted;
  const bool woken = machine_.devices().interrupts().wait(machine_.ending(), options_.may_wake);
  state_ = State::runs;
  return woken ? Next::go_on : Next::done;
}

VcpuLoop::Next VcpuLoop::handle(Exit& exit) {
  return std::visit(
      Overloaded{
          [&](IoExit& io) {
            access(io);
            return Next::go_on;
          },
          [&](MmioExit& mmio) { return access(mmio); },
          [&](MsrExit& msr) {
            access(msr);
            return Next::go_on;
          },
          [](const IntrExit&) { return Next::go_on; },
          [](const IrqWindowExit&) { return Next::go_on; },
          [](const DebugStopExit&) { return Next::go_on; },
          [&](const HltExit&) { return halt(); },
          [&](const ShutdownExit&) {
            return end(EndKind::triple_fault, Status::triple_fault, "triple fault");
          },
          [&](const FailEntryExit&) {
            return end(
                EndKind::kvm_failure, Status::kvm_failure,
                "the processor refused to enter the guest: " + format_exit(exit, std::nullopt));
          },
          [&](const InternalErrorExit&) {
            return end(EndKind::kvm_failure, Status::kvm_failure,
                       "KVM gave up: " + format_exit(exit, std::nullopt));
          },
          [&](const MalformedExit&) {
            return end(EndKind::kvm_failure, Status::kvm_failure,
                       "KVM's run page makes no sense: " + format_exit(exit, std::nullopt));
          },
          [&](const auto&) {
            return end(EndKind::unhandled_exit, Status::unhandled_exit,
                       "an exit that vmctl does not handle: " + format_exit(exit, std::nullopt));
          },
      },
      exit);
}

}  // namespace vmctl
