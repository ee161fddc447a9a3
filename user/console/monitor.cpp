// SPDX-License-Identifier: GPL-2.0
#include "console/monitor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "base/bytes.hpp"
#include "base/size.hpp"

namespace vmctl {
namespace {

using Kind = MonitorCommand::Kind;

constexpr std::uint64_t kDumpDefault = 128;

struct Word {
  std::string_view name;
  Kind kind;
  std::size_t fewest;  // arguments
  std::size_t most;
  std::string_view usage;
  std::string_view help;
};

constexpr auto kWords = std::to_array<Word>({
    {"info", Kind::info, 0, 0, "info", "what the machine is and does"},
    {"regs", Kind::registers, 0, 0, "regs", "registers of each vCPU, and the code it is at"},
    {"dump", Kind::dump, 1, 2, "dump ADDR [LEN]", "guest physical memory (128 bytes)"},
    {"pause", Kind::pause, 0, 0, "pause", "keep the vCPUs from the guest; time goes on"},
    {"resume", Kind::resume, 0, 0, "resume", "let them go on"},
    {"nmi", Kind::nmi, 0, 1, "nmi [VCPU]", "a non-maskable interrupt (for vCPU 0)"},
    {"powerdown", Kind::power_down, 0, 0, "powerdown", "press the power button"},
    {"quit", Kind::quit, 0, 0, "quit", "end the machine"},
    {"cont", Kind::leave, 0, 0, "cont", "back to the console; so does an empty line"},
    {"help", Kind::help, 0, 0, "help", "this"},
});

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty()) return words;
    words.push_back(line.substr(0, line.find_first_of(" \t")));
    line.remove_prefix(words.back().size());
  }
}

Failure refuse(std::string_view word, std::string why) {
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", escaped(word)),
               .why = std::move(why),
               .advice = "help lists the commands"});
}

std::string help() {
  std::string text;
  for (const Word& word : kWords) text += fmt::format("{:<17} {}\n", word.usage, word.help);
  return text;
}

std::string said(const Result<>& done, std::string_view well) {
  return (done ? std::string(well) : done.error().text()) + "\n";
}

std::string carry_out(const MonitorCommand& command, MachineControl& machine,
                      const std::string& who) {
  switch (command.kind) {
    case Kind::help:
      return help();
    case Kind::info:
      return machine.info();
    case Kind::registers:
      return machine.registers();
    case Kind::dump: {
      const auto text = machine.dump(command.address, command.length);
      return text ? *text : text.error().text() + "\n";
    }
    case Kind::pause:
      return machine.pause() ? "paused\n" : "it is paused already\n";
    case Kind::resume:
      return machine.resume() ? "runs again\n" : "it is not paused\n";
    case Kind::nmi:
      return said(machine.nmi(command.vcpu), "sent");
    case Kind::power_down:
      return said(machine.power_down(), "pressed");
    case Kind::quit:
      machine.quit(who);
      return "";
    case Kind::leave:
      break;
  }
  return "";
}

}  // namespace

Result<MonitorCommand> parse_monitor(std::string_view line) {
  const auto words = words_of(line);
  if (words.empty()) return MonitorCommand{.kind = Kind::leave};
  const auto* const word = std::ranges::find(kWords, words.front(), &Word::name);
  if (word == kWords.end()) return refuse(words.front(), "there is no such command");
  const std::size_t arguments = words.size() - 1;
  if (arguments < word->fewest || arguments > word->most)
    return refuse(line, fmt::format("it is: {}", word->usage));

  MonitorCommand command{.kind = word->kind};
  if (command.kind == Kind::dump) {
    command.address = GuestAddr{TRY(parse_size(words[1]))};
    command.length = arguments > 1 ? TRY(parse_size(words[2])) : kDumpDefault;
  }
  if (command.kind == Kind::nmi && arguments > 0) {
    const std::uint64_t vcpu = TRY(parse_number(words[1]));
    if (vcpu > std::numeric_limits<std::uint32_t>::max())
      return refuse(words[1], "not the number of a vCPU");
    command.vcpu = static_cast<std::uint32_t>(vcpu);
  }
  return command;
}

MonitorAnswer answer_monitor(std::string_view line, MachineControl& machine,
                             const std::string& who) {
  const auto command = parse_monitor(line);
  if (!command) return {.text = for_raw_terminal(command.error().text() + "\n"), .leave = false};
  return {.text = for_raw_terminal(carry_out(*command, machine, who)),
          .leave = command->kind == Kind::leave};
}

std::string for_raw_terminal(std::string_view text) {
  std::string raw;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r')) raw += '\r';
    raw += text[i];
  }
  return raw;
}

}  // namespace vmctl
