// SPDX-License-Identifier: GPL-2.0
#include "machine/vcpu_loop.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "machine/dump.hpp"
#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace

SysResult<Exit> VcpuLoop::run_once() {
  if (!timed_) return vcpu_.run();
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  auto exit = vcpu_.run();
  stats_.run_ns += static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count());
  return exit;
}

void VcpuLoop::run() {
  Next next = Next::go_on;
  while (next == Next::go_on && !machine_.ending().stopping()) {
    auto exit = run_once();
    if (!exit) {
      next = handle_error(exit.error());
      continue;
    }
    stats_.count(exit_reason(*exit));
    next = handle(*exit);
    if (tracer_ != nullptr) {
      const auto regs = vcpu_.regs();
      tracer_->trace(vcpu_.id(), *exit,
                     regs ? std::optional<std::uint64_t>(regs->rip) : std::nullopt);
    }
  }
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
      return Next::go_on;  // run() looks whether it was meant to stop
    case EAGAIN:
      ++stats_.errors;
      std::this_thread::yield();  // the vCPU waits for something that is not there yet
      return Next::go_on;
    case ENODEV:
    case EPERM:
    case EDQUOT: {
      ++stats_.errors;
      const Error explained = explain(ioc::run.name, error);
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

void VcpuLoop::access(MmioExit& mmio) const {
  if (mmio.direction == Direction::in)
    machine_.mmio().read(mmio.gpa.value, mmio.data.size(), mmio.data);
  else
    machine_.mmio().write(mmio.gpa.value, mmio.data.size(), mmio.data);
}

VcpuLoop::Next VcpuLoop::handle(Exit& exit) {
  return std::visit(
      Overloaded{
          [&](IoExit& io) {
            access(io);
            return Next::go_on;
          },
          [&](MmioExit& mmio) {
            access(mmio);
            return Next::go_on;
          },
          [](const IntrExit&) { return Next::go_on; },
          // Without an interrupt controller nothing can wake it.
          [](const HltExit&) { return Next::done; },
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
