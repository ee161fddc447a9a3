// SPDX-License-Identifier: GPL-2.0
#include "machine/runner.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <deque>
#include <functional>
#include <system_error>
#include <thread>

#include "machine/halt_watch.hpp"
#include "machine/kick.hpp"
#include "machine/vcpu_loop.hpp"

namespace vmctl {
namespace {

using Steady = std::chrono::steady_clock;

Fd checked_fd(int fd, const char* call) {
  if (fd < 0) throw std::system_error(errno, std::generic_category(), call);
  return Fd(fd);
}

// As under nohup. That SIGINT is ignored says nothing: shells do so for whatever runs in the
// background, and who sends it there means it.
bool hangup_is_ignored() {
  struct sigaction action {};
  return ::sigaction(SIGHUP, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// While it lives the signals that end us come through fd().
class Signals {
 public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&set, number);
    if (!hangup_is_ignored()) sigaddset(&set, SIGHUP);
    fd_ = checked_fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), "signalfd");
    pthread_sigmask(SIG_BLOCK, &set, &old_mask_);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    // One has ended the machine; another would end us before we could tell.
    while (take() != 0) continue;
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }

  int fd() const { return fd_.get(); }
  int take() const {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo)
                                                                : 0;
  }

 private:
  Fd fd_;
  sigset_t old_mask_{};
};

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

std::optional<Steady::time_point> earlier(std::optional<Steady::time_point> a,
                                          std::optional<Steady::time_point> b) {
  if (a && b) return std::min(*a, *b);
  return a ? a : b;
}

// Sleeps until all vCPUs are done, or something ends the machine.
void wait_for_end(const Signals& signals, Threads& threads, Ending& ending,
                  std::optional<Steady::time_point> deadline, std::optional<HaltWatch> halts) {
  std::array<pollfd, 3> fds{{{.fd = signals.fd(), .events = POLLIN, .revents = 0},
                             {.fd = threads.done_fd(), .events = POLLIN, .revents = 0},
                             {.fd = ending.stop_fd(), .events = POLLIN, .revents = 0}}};
  while (threads.running() > 0 && !ending.stopping()) {
    const auto until = earlier(deadline, halts ? std::optional(halts->next()) : std::nullopt);
    timespec wait{};
    if (until) {
      const auto left = std::max(*until - Steady::now(), Steady::duration::zero());
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
      wait = {.tv_sec = seconds.count(), .tv_nsec = (left - seconds).count()};
    }
    const int ready = ::ppoll(fds.data(), fds.size(), until ? &wait : nullptr, nullptr);
    const auto now = Steady::now();
    if (deadline && now >= *deadline)
      ending.end({.kind = EndKind::timeout,
                  .status = static_cast<int>(Status::timeout),
                  .reason = "the time given by --timeout is over",
                  .details = ""});
    if (halts && now >= halts->next() && halts->tick(now))
      ending.end({.kind = EndKind::at_rest,
                  .status = 0,
                  .reason = "every vCPU halted with its interrupts off",
                  .details = ""});
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

Result<RunOutcome> run_machine(Machine& machine, const RunOptions& options) {
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
  std::deque<VcpuLoop> loops;
  for (const Vcpu& vcpu : machine.vcpus()) {
    VcpuLoop::Options own{.tracer = tracer ? &*tracer : nullptr, .timed = timed};
    if (loops.empty()) {
      own.pic = interrupts.pic();
      // By a device, or by another vCPU that has a device raise an interrupt.
      own.may_wake = [&] { return active > 1 || devices.may_interrupt() || (pci != nullptr && pci->may_interrupt());
      };
    }
    loops.emplace_back(machine, vcpu, std::move(own));
  }
  interrupts.connect(tracer ? &*tracer : nullptr, [&first = loops.front()] { first.kick(); });

  const auto start = Steady::now();
  {
    const KickHandler kicks;
    const Signals signals;
    Threads threads(loops, ending, active, [&] { interrupts.notify(); });
    wait_for_end(
        signals, threads, ending,
        options.timeout ? std::optional(start + *options.timeout) : std::nullopt,
        interrupts.pic() == nullptr ? std::optional<HaltWatch>({loops, start}) : std::nullopt);
    stop(threads, devices, pci);
    if (pci != nullptr) pci->stop();
    // Before the threads' handles go, which a late timer would kick.
    devices.stop();
  }
  interrupts.connect(nullptr, nullptr);
  RunOutcome outcome{.end = ending.gravest(),
                     .elapsed = Steady::now() - start,
                     .vcpus = collect(machine, loops),
                     .sum = {}};
  for (const RunStats& vcpu : outcome.vcpus) outcome.sum += vcpu;
  return outcome;
}

}  // namespace vmctl
