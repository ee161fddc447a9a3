// SPDX-License-Identifier: GPL-2.0
// The options of `vmctl load`, an argument a line: parsed, and nothing done.
#include <fmt/format.h>

#include <algorithm>

#include "cli/load.hpp"
#include "dev/rtc_time.hpp"
#include "machine/layout.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

void check(const cli::LoadRequest& request) {
  const MachineConfig& machine = request.machine;
  const auto& memory = machine.boot.memory;
  require(
      !memory || (*memory > 0 && *memory % layout::kPageSize == 0 && *memory <= layout::kMemoryMax),
      "memory is in pages, as much as there can be");
  require(machine.cpus > 0, "there is a vCPU");
  require(machine.name.size() < VMCTL_NAME_SIZE, "a name fits");
  require(!request.run.timeout || request.run.timeout->count() > 0, "a timeout is a while");
  const auto& date = machine.devices.rtc;
  require(!date || (*date >= kRtcFirst && *date <= kRtcLast), "a date can be shown");
  require((request.run.trace.kinds & ~(kTraceExits | kTraceSteps)) == 0, "kinds are known ones");
  require(request.run.trace.ranges.empty() || request.run.trace.kinds != 0,
          "ranges are of something");
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::vector<std::string> arguments;
  while (!input.done() && arguments.size() < 32) arguments.push_back(input.line());
  cli::LoadRequest request;
  CLI::App app;
  cli::declare_load(app, request);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError&) {
    return 0;
  }
  if (is_error(cli::complete(request))) return 0;
  check(request);

  if (!request.machine.devices.rtc) return 0;
  const RtcBytes shown = rtc_bytes(*request.machine.devices.rtc, {.binary = true, .hours24 = true});
  const std::string date =
      fmt::format("{:02}{:02}-{:02}-{:02}T{:02}:{:02}:{:02}", shown.century, shown.year,
                  shown.month, shown.day, shown.hour, shown.minute, shown.second);
  require(std::any_of(arguments.begin(), arguments.end(),
                      [&](const std::string& argument) {
                        return argument.find(date) != std::string::npos;
                      }),
          "a date is what was said");
  return 0;
}
