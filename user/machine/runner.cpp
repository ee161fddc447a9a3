// SPDX-License-Identifier: GPL-2.0
#include "machine/runner.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <system_error>
#include <thread>

#include "base/log.hpp"
#include "machine/halt_watch.hpp"
#include "machine/run_control.hpp"
#include "machine/vcpu_loop.hpp"
#include "run/kick.hpp"

namespace vmctl {
namespace {

using Steady = std::chrono::steady_clock;

Fd checked_fd(int fd, const char* call) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), call);
  return Fd(fd);
}

// The vCPU threads; joined with their owner.
class Threads {
 public:
  // `active`: how many vCPUs are not done, all at first; `notify` comes after each change of it.
  Threads(std::deque<VcpuLoop>& loops, Ending& ending, std::atomic<std::size_t>& active,
          std::function<void()> notify)
      : loops_(loops),
        ending_(ending),
        active_(active),
        notify_(std::move(notify)),
        done_(checked_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE), "eventfd")) {
    threads_.reserve(loops_.size());
    try {
      for (VcpuLoop& loop : loops_) {
        threads_.emplace_back([this, &loop] {
          run(loop);
          --active_;
          notify_();
          [[maybe_unused]] const int written = ::eventfd_write(done_.get(), 1);
        });
        ++running_;
      }
    } catch (const std::system_error& error) {  // those that run are stopped like any others
      ending_.end(
          {.kind = EndKind::internal,
           .status = static_cast<int>(Status::internal),
           .reason = fmt::format("cannot start a thread for vCPU {}: {}", running_, error.what()),
           .details = ""});
    }
  }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() = default;

  std::size_t running() const { return running_; }
  // Readable while there are threads that are done and not yet taken off the count.
  int done_fd() const { return done_.get(); }
  void take_done() {
    eventfd_t one = 0;
    if (::eventfd_read(done_.get(), &one) == 0) --running_;
  }

  // Brings every vCPU out of KVM_RUN and keeps it from going in again, and out of a write that
  // blocks.
  void kick() {
    for (const VcpuLoop& loop : loops_) loop.kick();
  }

 private:
  void run(VcpuLoop& loop) {
    try {
      loop.run();
    } catch (const std::exception& exception) {
      ending_.end({.kind = EndKind::internal,
                   .status = static_cast<int>(Status::internal),
                   .reason = exception.what(),
                   .details = ""});
    }
  }

  std::deque<VcpuLoop>& loops_;
  Ending& ending_;
  std::atomic<std::size_t>& active_;
  std::function<void()> notify_;
  Fd done_;
  std::size_t running_ = 0;
  std::vector<std::jthread> threads_;
};

// What is to happen at its time; `act` says when again.
struct Due {
  std::optional<Steady::time_point> at;
  std::function<std::optional<Steady::time_point>()> act;
};

// Does what is due, and returns how long the next is away; nothing: nothing is to come.
std::optional<timespec> take_due(std::span<Due> dues) {
  std::optional<Steady::time_point> next;
  for (Due& due : dues) {
    if (due.at && *due.at <= Steady::now()) due.at = due.act();
    if (due.at && (!next || *due.at < *next)) next = due.at;
  }
  if (!next) return std::nullopt;
  const auto left = std::max(*next - Steady::now(), Steady::duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return timespec{.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
}

// Sleeps until all vCPUs are done, or something ends the machine.
void wait_for_end(const EndSignals& signals, Threads& threads, Ending& ending,
                  std::span<Due> dues) {
  std::array<pollfd, 3> fds{{{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                             {.fd = threads.done_fd(), .events = POLLIN, .revents = 0},
                             {.fd = ending.stop_fd(), .events = POLLIN, .revents = 0}}};
  while (threads.running() > 0 && !ending.stopping()) {
    const auto wait = take_due(dues);
    const int ready = ::ppoll(fds.data(), fds.size(), wait ? &*wait : nullptr, nullptr);
    if (ready <= 0) continue;
    if (fds[0].revents != 0)
      if (const int number = signals.take(); number != 0)
        ending.end({.kind = EndKind::signal,
                    .status = 128 + number,
                    .reason = fmt::format("ended by SIG{}", sigabbrev_np(number)),
                    .details = ""});
    if (fds[1].revents != 0) threads.take_done();
  }
}

Due end_at(std::optional<Steady::time_point> deadline, Ending& ending) {
  return {.at = deadline, .act = [&ending]() -> std::optional<Steady::time_point> {
            ending.end({.kind = EndKind::timeout,
                        .status = static_cast<int>(Status::timeout),
                        .reason = "the time given by --timeout is over",
                        .details = ""});
            return std::nullopt;
          }};
}

HaltWatch::Vcpus together(std::deque<VcpuLoop>& loops) {
  return {.turns =
              [&loops] {
                return std::accumulate(
                    loops.begin(), loops.end(), std::uint64_t{0},
                    [](std::uint64_t sum, const VcpuLoop& loop) { return sum + loop.turns(); });
              },
          .look = [&loops] { std::ranges::for_each(loops, &VcpuLoop::look); },
          .lie_still = [&loops] { return std::ranges::all_of(loops, &VcpuLoop::lies_still); }};
}

Due end_at_rest(HaltWatch& halts, Ending& ending) {
  return {.at = halts.next(), .act = [&halts, &ending]() -> std::optional<Steady::time_point> {
            if (halts.tick(Steady::now()))
              ending.end({.kind = EndKind::at_rest,
                          .status = 0,
                          .reason = "every vCPU halted with its interrupts off",
                          .details = ""});
            return halts.next();
          }};
}

Due hint_at(std::optional<Steady::time_point> at, Machine& machine, RunControl& control,
            const RunOptions& options) {
  return {.at = at, .act = [&]() -> std::optional<Steady::time_point> {
            if (machine.spoken()) return std::nullopt;
            const std::string text =
                fmt::format("the guest has said nothing for {:g} s: {}; {}",
                            std::chrono::duration<double>(*options.hint_when_silent).count(),
                            control.whereabouts(), options.hint);
            if (options.trace.json)
              line_to_stderr(nlohmann::json{{"hint", text}}.dump());
            else
              note(text);
            return std::nullopt;
          }};
}

// Kicks until the last thread is out. Once is enough but for a thread that is about to block in a
// write at that very moment.
void stop(Threads& threads, Devices& devices, PciDevices* pci) {
  constexpr int kAgainMs = 20;
  pollfd done{.fd = threads.done_fd(), .events = POLLIN, .revents = 0};
  while (threads.running() > 0) {
    threads.kick();
    devices.kick();  // it may hold what a vCPU waits for
    if (pci != nullptr) pci->kick();
    if (::poll(&done, 1, kAgainMs) > 0) threads.take_done();
  }
}

std::vector<RunStats> collect(const Machine& machine, const std::deque<VcpuLoop>& loops) {
  std::vector<RunStats> stats;
  for (const VcpuLoop& loop : loops) {
    stats.push_back(loop.stats());
    if (!machine.vm().is_vmctl()) continue;
    if (const auto kernel = loop.vcpu().stats()) stats.back() = from_kernel(*kernel);
  }
  return stats;
}

}  // namespace

Result<RunOutcome> run_machine(Machine& machine, const RunOptions& options,
                               const EndSignals& signals) {
  Ending& ending = machine.ending();
  const bool timed = options.timed && !machine.vm().is_vmctl();
  std::optional<Tracer> tracer;
  if (options.trace.kinds != 0)
    tracer.emplace(options.trace, machine.memory(), ending, STDERR_FILENO,
                   machine.vcpus().size() > 1);

  Devices& devices = machine.devices();
  PciDevices* pci = machine.pci();
  Interrupts& interrupts = devices.interrupts();
  std::atomic<std::size_t> active = machine.vcpus().size();
  Brake brake(ending);
  std::deque<VcpuLoop> loops;
  for (const Vcpu& vcpu : machine.vcpus()) {
    VcpuLoop::Options own{.tracer = tracer ? &*tracer : nullptr, .brake = &brake, .timed = timed};
    if (loops.empty()) {
      own.pic = interrupts.pic();
      // By a device, or by another vCPU that has a device raise an interrupt.
      own.may_wake = [&] {
        return active > 1 || devices.may_interrupt() || (pci != nullptr && pci->may_interrupt());
      };
    }
    loops.emplace_back(machine, vcpu, std::move(own));
  }
  interrupts.connect(tracer ? &*tracer : nullptr, [&first = loops.front()] { first.kick(); });

  RunControl control(machine, loops, brake);
  const auto start = Steady::now();
  const auto after = [&](std::optional<std::chrono::nanoseconds> time) {
    return time ? std::optional(start + *time) : std::nullopt;
  };
  std::vector<Due> dues{end_at(after(options.timeout), ending),
                        hint_at(after(options.hint_when_silent), machine, control, options)};
  HaltWatch halts(together(loops), start);
  if (interrupts.pic() == nullptr) dues.push_back(end_at_rest(halts, ending));
  std::vector<std::string> notes;
  {
    const KickHandler kicks;
    machine.outside().start(control);
    if (pci != nullptr) pci->start(control);
    Threads threads(loops, ending, active, [&] { interrupts.notify(); });
    wait_for_end(signals, threads, ending, dues);
    stop(threads, devices, pci);
    if (pci != nullptr) notes.push_back(pci->stop(ending.gravest().reason));
    // Before the threads' handles go, which a late timer would kick.
    const End end = ending.gravest();
    if (options.resets && end.kind == EndKind::reset)
      machine.outside().pause();
    else
      for (std::string& note : machine.outside().stop(end.reason)) notes.push_back(std::move(note));
    std::erase(notes, "");
  }
  interrupts.connect(nullptr, nullptr);
  RunOutcome outcome{.end = ending.gravest(),
                     .elapsed = Steady::now() - start,
                     .vcpus = collect(machine, loops),
                     .sum = {},
                     .notes = std::move(notes)};
  for (const RunStats& vcpu : outcome.vcpus) outcome.sum += vcpu;
  return outcome;
}

}  // namespace vmctl
