// SPDX-License-Identifier: GPL-2.0
// The monitor: one line in, an answer out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/guest_addr.hpp"
#include "base/result.hpp"
#include "console/machine_control.hpp"

namespace vmctl {

struct MonitorCommand {
  enum class Kind : std::uint8_t {
    help,
    info,
    registers,
    dump,
    pause,
    resume,
    nmi,
    power_down,
    quit,
    leave,
  };
  Kind kind = Kind::help;
  GuestAddr address;         // of dump
  std::uint64_t length = 0;  // of dump
  std::uint32_t vcpu = 0;    // of nmi
};

// "dump 0x1000 64". usage: there is no such command, or its arguments are wrong.
Result<MonitorCommand> parse_monitor(std::string_view line);

struct MonitorAnswer {
  std::string text;    // lines, each ended as on a raw terminal ("\r\n")
  bool leave = false;  // back to the console
};

// `who` is told when the machine is ended.
MonitorAnswer answer_monitor(std::string_view line, MachineControl& machine,
                             const std::string& who);

// Each "\n" without a "\r" becomes "\r\n".
std::string for_raw_terminal(std::string_view text);

}  // namespace vmctl
