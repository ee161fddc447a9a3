// SPDX-License-Identifier: GPL-2.0
// vmctl load: run a guest image in a new VM.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "base/size.hpp"
#include "cli/boot_options.hpp"
#include "cli/command.hpp"
#include "cli/load.hpp"
#include "cli/parsed.hpp"
#include "machine/attach_place.hpp"
#include "machine/runner.hpp"

namespace vmctl::cli {
namespace {

constexpr const char* kFooter =
    R"(ADDR and SIZE are decimal or 0x hexadecimal, and take K, M, G, T.
The image is a flat binary that starts in real mode, an ELF executable, a multiboot or PVH
kernel, or Linux: its content says which, and vmctl inspect tells what goes where. The guest's
first serial port (0x3f8) is standard output and input, port 0xf4 ends the run; everything else
goes to standard error.

Channels of serial ports: stdio, none; file:PATH, which is overwritten; pty and unix:PATH, where
the last 256K of output are kept until somebody reads them.
If standard input is a terminal, keys go to the guest as they are, Ctrl-C, too (it ends a guest
that does not listen). Ctrl-A x ends the machine (status 130), Ctrl-A c is the monitor (help lists
its commands), Ctrl-A a sends Ctrl-A, Ctrl-A h helps. Other input is passed on byte for byte.
A machine with KVM's interrupt controllers, or with --attach, is found by vmctl attach ID.
Traced are io, mmio, msr, irq, cpuid, cr or all; without kinds every exit. CPUID and control
registers make no exits: cpuid, cr and all run the guest step by step, slowly.

Exit status:
    0       the guest ended well: every vCPU halted with nothing to wait for, or it
            switched itself off or asked for a reset (if without --reboot)
    1-63    what the guest wrote to port 0xf4 (0 is 0; more than 63 is 63, with a message)
    64      wrong usage
    65      bad image: empty, too large, not a regular file, truncated while loading
    66      no such file, or not readable
    69      KVM or the module is not available
    70      internal error
    74      the guest's output could not be written
    77      refused by permission or policy; the VM was revoked
    80      triple fault
    81      KVM internal error, or the guest could not be entered
    82      an exit that vmctl does not handle
    124     --timeout was over
    128+N   ended by signal N (130 for Ctrl-C and Ctrl-A x; 141 when the reader of the output is gone))";

Result<std::uint32_t> parse_cpus(const std::string& text) {
  constexpr std::uint64_t kMax = 65536;  // KVM knows its own limit, and it is lower
  const std::uint64_t cpus = TRY(parse_number(text));
  if (cpus == 0 || cpus > kMax)
    return fail({.status = Status::usage,
                 .what = fmt::format("'{}'", text),
                 .why = fmt::format("not a number from 1 to {}", kMax)});
  return static_cast<std::uint32_t>(cpus);
}

Result<std::chrono::sys_seconds> parse_date(const std::string& text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00";
  const bool formed =
      std::equal(text.begin(), text.end(), kForm.begin(), kForm.end(),
                 [](char c, char form) { return form == '0' ? c >= '0' && c <= '9' : c == form; });
  const auto number = [&](std::size_t at, std::size_t digits) {
    unsigned value = 0;
    for (; formed && digits > 0; --digits)
      value = value * 10 + static_cast<unsigned>(text[at++] - '0');
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(5, 2)),
                                        std::chrono::day(number(8, 2))};
  const unsigned hour = number(11, 2);
  const unsigned minute = number(14, 2);
  const unsigned second = number(17, 2);
  if (!formed || !day.ok() || hour > 23 || minute > 59 || second > 59)
    return fail({.status = Status::usage,
                 .what = fmt::format("'{}'", escaped(text)),
                 .why = "not a date and time (as in 2026-01-31T23:59:59)"});
  return std::chrono::sys_days(day) + std::chrono::hours(hour) + std::chrono::minutes(minute) +
         std::chrono::seconds(second);
}

Result<std::optional<std::chrono::nanoseconds>> parse_hint(const std::string& text) {
  if (text == "0") return std::optional<std::chrono::nanoseconds>();
  return std::optional(TRY(parse_seconds(text)));
}

Result<std::string> parse_name(const std::string& text) {
  if (text.size() >= VMCTL_NAME_SIZE)
    return fail({.status = Status::usage,
                 .what = fmt::format("'{}'", escaped(text)),
                 .why = fmt::format("longer than {} bytes", VMCTL_NAME_SIZE - 1)});
  return text;
}

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
  Outside outside;
  std::optional<EndSignals> signals;  // also between a machine and the next
  std::chrono::nanoseconds elapsed{};
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
    if (options.timeout)
      options.timeout = std::max(*options.timeout - elapsed, std::chrono::nanoseconds::zero());
    if (!request.hint_after && !machine.flat()) options.hint_when_silent = kHintAfter;
    const RunOutcome outcome = TRY(run_machine(machine, options, *signals));
    const bool reset = options.resets && outcome.end.kind == EndKind::reset;
    if (!reset) signals.reset();
    show_outcome(request, machine, outcome);
    if (!reset) return outcome.end.status;
    elapsed += outcome.elapsed;
    outside.ending().begin_anew();
  }
}

// After the name: a card has the same address each time.
Result<> choose_net(const std::string& text, MachineConfig& machine) {
  NetSpec net = TRY(parse_net(text));
  if (net.kind == NetSpec::Kind::none) return {};
  if (net.mac == MacAddress{}) net.mac = mac_for(machine.name);
  machine.pci.net = std::move(net);
  return {};
}

}  // namespace

Result<> complete(LoadRequest& request) {
  MachineConfig& machine = request.machine;
  machine.registers = TRY(parse_registers(request.registers));
  for (const std::string& text : request.cpuid) machine.cpuid.push_back(TRY(parse_cpuid(text)));
  for (const std::string& text : request.disks) machine.pci.disks.push_back(TRY(parse_disk(text)));
  for (const std::string& text : request.shares)
    machine.pci.shares.push_back(TRY(parse_share(text)));
  TRY(check_shares(machine.pci.shares));
  for (const std::string& text : request.msrs) machine.msrs.push_back(TRY(parse_msr(text)));
  for (const std::string& text : request.trace_ranges)
    request.run.trace.ranges.push_back(TRY(parse_trace_range(text)));
  for (const std::string& kinds : request.trace_kinds)  // CLI11's word for a flag without a value
    request.run.trace.kinds |= kinds == "true" ? kTraceExits : TRY(parse_trace_kinds(kinds));
  if (!request.run.trace.ranges.empty() && request.run.trace.kinds == 0)
    request.run.trace.kinds = kTraceExits;
  const ChannelSpec::Kind stdio = ChannelSpec::Kind::stdio;
  if (machine.pci.console && machine.pci.console->kind == stdio &&
      (machine.devices.com1.kind == stdio || machine.devices.com2.kind == stdio))
    return fail({.status = Status::usage,
                 .what = "--virtio-console stdio and a serial port on stdio",
                 .why = "they cannot share standard input and output",
                 .advice = "give the serial port another channel, as in --console none"});
  if (machine.devices.com1.kind == stdio && machine.devices.com2.kind == stdio)
    return fail({.status = Status::usage,
                 .what = "--console stdio and --com2 stdio",
                 .why = "two serial ports cannot share standard input and output",
                 .advice = "give one of them another channel, as in --console none"});
  for (const RegisterValue& value : machine.registers)
    if (value.member == &kvm_regs::rip && machine.boot.flat.entry)
      return fail({.status = Status::usage,
                   .what = "--entry and --reg rip",
                   .why = "both say where the guest starts",
                   .advice = "give one of them"});
  if (machine.name.empty())
    machine.name = std::filesystem::path(machine.boot.image)
                       .filename()
                       .string()
                       .substr(0, VMCTL_NAME_SIZE - 1);
  if (!request.net.empty()) TRY(choose_net(request.net, machine));
  machine.time_run = request.stats || request.json;
  request.run.timed = machine.time_run;
  request.run.trace.json = request.json;
  return {};
}

void declare_load(CLI::App& command, LoadRequest& request) {
  MachineConfig& machine = request.machine;
  command.footer(kFooter);
  declare_boot(command, machine.boot);
  command
      .add_option("--reg", request.registers, "a register at the start, as in rax=2; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  add_parsed(command, "--cpus",
             "vCPUs, all starting at the entry, or with --irqchip kernel by INIT and SIPI (1)", "N",
             parse_cpus, [&](std::uint32_t cpus) { machine.cpus = cpus; });
  command
      .add_option_function<std::string>(
          "--irqchip",
          [&](const std::string& where) {
            machine.irqchip = where == "kernel" ? Irqchip::kernel : Irqchip::none;
          },
          "interrupt controllers: none of KVM's, but 8259As in vmctl; or KVM's own (flat images: "
          "none; all others: kernel)")
      ->type_name("")
      ->check(CLI::IsMember({"none", "kernel"}));
  add_parsed(command, "--console", "the far end of the first serial port (stdio)", "CHANNEL",
             parse_channel, [&](const ChannelSpec& spec) { machine.devices.com1 = spec; });
  add_parsed(command, "--com2", "a second serial port (none)", "CHANNEL", parse_channel,
             [&](const ChannelSpec& spec) { machine.devices.com2 = spec; });
  add_parsed(command, "--virtio-console", "a virtio console, Linux's hvc0 (none)", "CHANNEL",
             parse_channel, [&](const ChannelSpec& spec) { machine.pci.console = spec; });
  command
      .add_option("--disk", request.disks,
                  "a virtio disk, which has the file's bytes; ,ro: not to be written; repeatable")
      ->type_name("FILE[,ro]")
      ->allow_extra_args(false);
  command.add_flag("--attach,!--no-attach", request.attach,
                   "let vmctl attach find it, or not (found with KVM's interrupt controllers)");
  add_parsed(command, "--hint-after",
             "without any output for so long, say once where the guest is; 0: never (5, flat "
             "images 0)",
             "SECONDS", parse_hint, [&](std::optional<std::chrono::nanoseconds> time) {
               request.run.hint_when_silent = time;
               request.hint_after = true;
             });
  command
      .add_option("--net", request.net,
                  "a virtio network card: user, with options hostfwd=tcp:[HOST]:PORT-[GUEST]:PORT "
                  "and restrict=on; or tap,ifname=NAME; mac=MAC for both (none)")
      ->type_name("KIND[,OPTION...]");
  command
      .add_option("--share", request.shares,
                  "a folder that the guest may mount: mount -t virtiofs share /mnt; ,ro: not to be "
                  "written; ,tag=NAME instead of share; repeatable")
      ->type_name("FOLDER[,tag=NAME][,ro]")
      ->allow_extra_args(false);
  add_parsed(command, "--rtc", "what the real-time clock shows at first (UTC now)",
             "YYYY-MM-DDTHH:MM:SS", parse_date,
             [&](std::chrono::sys_seconds date) { machine.devices.rtc = date; });
  command
      .add_option("--msr", request.msrs,
                  "an MSR for vmctl to answer: reads get VALUE or what was last written, without "
                  "both #GP; r: and w: for one direction; repeatable")
      ->type_name("[r:|w:]ADDR[-LAST][=VALUE]")
      ->allow_extra_args(false);
  command
      .add_option("--cpuid", request.cpuid,
                  "a register that CPUID returns, as in 1:ecx=0; repeatable")
      ->type_name("LEAF[.SUBLEAF]:REG=VALUE")
      ->allow_extra_args(false);
  add_parsed(command, "--timeout", "end the guest after this time", "SECONDS", parse_seconds,
             [&](std::chrono::nanoseconds timeout) { request.run.timeout = timeout; });
  command.add_flag("--trace", request.trace_kinds,
                   "a line for each exit on standard error; --trace=io,mmio for these kinds");
  command
      .add_option("--trace-range", request.trace_ranges,
                  "of accesses, trace those to these ports, addresses or MSRs; repeatable")
      ->type_name("FIRST[-LAST]")
      ->allow_extra_args(false);
  command.add_flag("--reboot,!--no-reboot", request.run.resets,
                   "a reset starts the guest anew in another VM, or ends the run (ends it)");
  command.add_flag("--stats", request.stats, "exits by reason and times, at the end");
  command.add_flag("--json", request.json, "trace and result as JSON, an object a line");
  command.add_option("--device", machine.device, "the way to KVM (/dev/vmctl, or /dev/kvm)")
      ->type_name("PATH");
  add_parsed(command, "--name", "the VM's name in vmctl ps (the file's)", "NAME", parse_name,
             [&](const std::string& name) { machine.name = name; });
  command
      .add_option_function<std::string>(
          "--debug-exit",
          [&](const std::string& style) {
            machine.devices.debug_exit =
                style == "qemu" ? DebugExitStyle::qemu : DebugExitStyle::vmctl;
          },
          "status for a value V on port 0xf4: vmctl is V, qemu is (V<<1)|1 (vmctl)")
      ->type_name("")
      ->check(CLI::IsMember({"vmctl", "qemu"}));
}

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
