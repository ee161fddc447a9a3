// SPDX-License-Identifier: GPL-2.0
// vmctl load: run a guest image in a new VM.
#include "cli/load.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "cli/command.hpp"
#include "console/attach_place.hpp"
#include "machine/runner.hpp"

namespace vmctl::cli {
namespace {

nlohmann::json outcome_to_json(Machine& machine, const RunOutcome& outcome) {
  nlohmann::json json{{"status", outcome.end.status},
                      {"reason", outcome.end.reason},
                      {"seconds", std::chrono::duration<double>(outcome.elapsed).count()},
                      {"vm", nullptr},
                      {"image", nullptr},
                      {"exits", exits_to_json(outcome.sum)},
                      {"run_ns", outcome.sum.run_ns},
                      {"vcpus", nlohmann::json::array()}};
  if (!outcome.end.details.empty()) json["details"] = outcome.end.details;
  if (!outcome.notes.empty()) json["notes"] = outcome.notes;
  if (machine.vm().is_vmctl()) json["vm"] = machine.vm().id();
  if (machine.digest()) json["image"] = "sha256:" + hex(*machine.digest());
  if (const auto code = machine.devices().post_code()) json["post_code"] = *code;
  for (const auto& [index, written] : machine.msrs().written())
    json["msrs_written"].push_back(
        {{"msr", index}, {"value", written.value}, {"count", written.count}});
  for (const RunStats& vcpu : outcome.vcpus)
    json["vcpus"].push_back({{"exits", exits_to_json(vcpu)}, {"run_ns", vcpu.run_ns}});
  return json;
}

nlohmann::json error_to_json(const Error& error) {
  return {{"status", static_cast<int>(error.status)},
          {"reason", error.what},
          {"where", error.where},
          {"why", error.why},
          {"advice", error.advice}};
}

// Strings that come from outside may not be UTF-8: replaced, never thrown over.
std::string one_line(const nlohmann::json& json) {
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

void show_outcome(const LoadRequest& request, Machine& machine, const RunOutcome& outcome) {
  if (request.json) {
    line_to_stderr(one_line(outcome_to_json(machine, outcome)));
    return;
  }
  for (const std::string& text : outcome.notes) note(text);
  // A reset is worth a word where it is the end, too: the guest has asked for another.
  if ((outcome.end.kind != EndKind::halted && outcome.end.status != 0) ||
      (outcome.end.kind == EndKind::reset && !request.run.resets)) {
    note(outcome.end.reason);
    if (!outcome.end.details.empty()) line_to_stderr(outcome.end.details);
  }
  if (!request.stats) return;
  line_to_stderr(format_stats(outcome.vcpus, outcome.sum));
  line_to_stderr(fmt::format("ran for {:.3f} s, {}",
                             std::chrono::duration<double>(outcome.elapsed).count(),
                             outcome.end.reason));
  line_to_stderr(machine.digest() ? "image sha256:" + hex(*machine.digest())
                                  : "image not measured: raw KVM");
  if (const auto code = machine.devices().post_code())
    line_to_stderr(fmt::format("last POST code {:#04x}", *code));
  for (const auto& [index, written] : machine.msrs().written())
    line_to_stderr(fmt::format("msr {:#x} written {} times, at last {:#x}", index, written.count,
                               written.value));
}

// What the user could not know: where the channels are.
void announce(Machine& machine, bool json) {
  const auto say = [json](std::string_view port, const Channel& channel) {
    const std::string place = channel.place();
    if (place.empty()) return;
    if (json)
      line_to_stderr(one_line({{"channel", port}, {"place", place}}));
    else
      note(fmt::format("{} is {}", port, place));
  };
  say("console", machine.devices().com1().channel());
  if (auto& com2 = machine.devices().com2()) say("com2", com2->channel());
}

// What a kernel that says anything at all needs at most, and people wait for.
constexpr std::chrono::seconds kHintAfter{5};

// Why a kernel with this command line may be silent.
std::string_view silence(const std::string& command_line) {
  const std::string words = " " + command_line + " ";
  if (words.find(" console=") == std::string::npos)
    return "is console=ttyS0 on its command line (--append)?";
  return words.find(" quiet ") != std::string::npos ? "its command line says quiet"
                                                    : "it may be slow, or stuck";
}

bool has_kernel_irqchip(Machine& machine) {
  return machine.devices().interrupts().pic() == nullptr;
}

// Guests that run for long have KVM's interrupt controllers; a small one is not worth a socket.
Result<> let_attach(const LoadRequest& request, Machine& machine) {
  if (!request.attach.value_or(has_kernel_irqchip(machine))) return {};
  const auto open = [&]() -> Result<> {
    const std::string path =
        fmt::format("{}/{}", TRY(make_attach_folder()), attach_name(machine.vm().id(), ::getpid()));
    return machine.console().listen(path);
  };
  auto opened = open();
  if (opened || request.attach) return opened;
  if (!request.json) report(opened.error());  // nobody has asked for it
  return {};
}

Result<int> load(const LoadRequest& request) {
  using Steady = std::chrono::steady_clock;
  Outside outside;
  std::optional<EndSignals> signals;        // also between a machine and the next
  std::optional<Steady::time_point> start;  // of the first; making the others counts
  for (bool again = false;; again = true) {
    auto built = Machine::build(request.machine, outside);
    if (!built) {
      if (again) outside.stop(built.error().text());
      return fail(std::move(built.error()));
    }
    Machine& machine = **built;
    TRY(let_attach(request, machine));
    if (!again) {
      announce(machine, request.json);
      signals.emplace();
    }
    RunOptions options = request.run;
    if (!start) start = Steady::now();
    if (options.timeout)
      options.timeout =
          std::max(*options.timeout - std::chrono::nanoseconds(Steady::now() - *start),
                   std::chrono::nanoseconds::zero());
    if (!request.hint_after && !machine.flat()) options.hint_when_silent = kHintAfter;
    options.hint = silence(request.machine.boot.command_line);
    const RunOutcome outcome = TRY(run_machine(machine, options, *signals));
    const bool reset = options.resets && outcome.end.kind == EndKind::reset;
    if (!reset) signals.reset();
    show_outcome(request, machine, outcome);
    if (!reset) return outcome.end.status;
    outside.ending().begin_anew();
  }
}

}  // namespace

void add_load(CLI::App& command, Action& action) {
  auto request = std::make_shared<LoadRequest>();
  declare_load(command, *request);
  command.callback([request, &action] {
    action = [request]() -> Result<int> {
      auto status = [&]() -> Result<int> {
        TRY(complete(*request));
        return load(*request);
      }();
      if (status || !request->json) return status;
      line_to_stderr(one_line(error_to_json(status.error())));
      return static_cast<int>(status.error().status);
    };
  });
}

}  // namespace vmctl::cli
