// SPDX-License-Identifier: GPL-2.0
// The options of vmctl load.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include "base/bytes.hpp"
#include "base/size.hpp"
#include "cli/boot_options.hpp"
#include "cli/load.hpp"
#include "cli/parsed.hpp"

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

}  // namespace vmctl::cli
