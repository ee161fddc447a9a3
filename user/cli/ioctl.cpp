// SPDX-License-Identifier: GPL-2.0
// vmctl ioctl: what the number of an ioctl means, and which number a command has.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/log.hpp"
#include "cli/command.hpp"
#include "kernel/ioctl_names.hpp"
#include "kernel/ioctl_number.hpp"

namespace vmctl::cli {
namespace {

std::vector<std::string_view> names_of(const std::vector<IoctlName>& ioctls) {
  std::vector<std::string_view> names;
  names.reserve(ioctls.size());
  for (const IoctlName& each : ioctls) names.push_back(each.name);
  return names;
}

// "0xae", and for what has a character "0x54 'T'".
std::string byte_text(std::uint8_t byte) {
  return fmt::format("{:#04x}{}", byte,
                     printable({&byte, 1}) ? fmt::format(" '{:c}'", byte) : std::string());
}

// One for each type of argument among those that share the number.
std::vector<std::string> macros_of(IoctlNumber number, const std::vector<IoctlName>& ioctls) {
  std::vector<std::string> macros;
  for (const IoctlName& each : ioctls) {
    std::string macro = ioctl_macro(number, each.argument);
    if (std::find(macros.begin(), macros.end(), macro) == macros.end())
      macros.push_back(std::move(macro));
  }
  if (macros.empty()) macros.push_back(ioctl_macro(number));
  return macros;
}

void print_text(std::uint32_t value) {
  const IoctlNumber number = split_ioctl(value);
  const auto named = ioctls_named(number);
  fmt::print("{:#010x}  {}\n", value,
             named.empty() ? "not a command of KVM or vmctl"
                           : fmt::format("{}", fmt::join(names_of(named), ", ")));
  fmt::print("  direction  {}\n", direction_name(number.direction));
  fmt::print("  size       {} byte{}\n", number.size, number.size == 1 ? "" : "s");
  fmt::print("  type       {}\n", byte_text(number.type));
  fmt::print("  number     {:#04x}\n", number.number);
  for (const std::string& macro : macros_of(number, named)) fmt::print("  macro      {}\n", macro);
  if (!named.empty()) return;
  for (const IoctlName& near : ioctls_nearly(number))
    fmt::print("  nearly     {}, which is {:#010x}: {}\n", near.name, join_ioctl(near.number),
               ioctl_macro(near.number, near.argument));
}

nlohmann::json to_json(std::uint32_t value) {
  const IoctlNumber number = split_ioctl(value);
  const auto named = ioctls_named(number);
  return {{"value", value},
          {"direction", direction_name(number.direction)},
          {"size", number.size},
          {"type", number.type},
          {"number", number.number},
          {"macros", macros_of(number, named)},
          {"names", names_of(named)},
          {"nearly",
           named.empty() ? names_of(ioctls_nearly(number)) : std::vector<std::string_view>()}};
}

// Says what numbers mean, one after the other: good ones at once, bad ones to stderr.
class Decoder {
 public:
  explicit Decoder(bool json) : json_(json) {}

  void decode(std::string_view word, const std::string& where) {
    const auto value = parse_ioctl(word);
    if (!value) {
      Error error = value.error();
      error.where = where;
      report(error);
      status_ = Status::usage;
    } else if (json_) {
      array_.push_back(to_json(*value));
    } else {
      if (!first_) fmt::print("\n");
      first_ = false;
      print_text(*value);
    }
  }

  int finish() {
    if (json_) fmt::print("{}\n", array_.dump());
    return static_cast<int>(status_);
  }

 private:
  bool json_;
  bool first_ = true;
  Status status_ = Status::ok;
  nlohmann::json array_ = nlohmann::json::array();
};

constexpr std::string_view kBlanks = " \t\r\v\f";

void decode_line(std::string_view line, const std::string& where, Decoder& decoder) {
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty()) return;
    const auto word = line.substr(0, line.find_first_of(kBlanks));
    decoder.decode(word, where);
    line.remove_prefix(word.size());
  }
}

Result<> decode_input(Decoder& decoder) {
  std::string line;
  for (unsigned number = 1; std::getline(std::cin, line) && std::ferror(stdout) == 0; ++number)
    decode_line(line, fmt::format("standard input, line {}", number), decoder);
  if (std::ferror(stdin) != 0)
    return fail({.status = Status::no_input,
                 .what = "cannot read the numbers",
                 .where = "standard input",
                 .why = "reading fails"});
  return {};
}

Result<int> decode(const std::vector<std::string>& words, bool json) {
  Decoder decoder(json);
  if (words.empty()) TRY(decode_input(decoder));
  for (const std::string& word : words) {
    if (word == "-")
      TRY(decode_input(decoder));
    else
      decoder.decode(word, "");
  }
  return decoder.finish();
}

struct EncodeOptions {
  std::string macro, type, number, size;
  bool json = false;
};

Result<int> encode(const EncodeOptions& options) {
  IoctlNumber number{.direction = TRY(parse_ioctl_macro(options.macro)),
                     .type = TRY(parse_ioctl_byte(options.type)),
                     .number = TRY(parse_ioctl_byte(options.number))};
  if (!options.size.empty())
    number.size = TRY(parse_ioctl_size(options.size));
  else if (number.direction != IoctlDirection::none)
    return fail({.status = Status::usage,
                 .what = fmt::format("{} needs a size", options.macro),
                 .why = "an argument that is read or written has one",
                 .advice = "see: vmctl ioctl encode --help"});
  const std::uint32_t value = join_ioctl(number);
  if (options.json) {
    fmt::print("{}\n", to_json(value).dump());
    return 0;
  }
  const auto named = ioctls_named(number);
  fmt::print("{:#010x}{}{}\n", value, named.empty() ? "" : "  ", fmt::join(names_of(named), ", "));
  return 0;
}

Result<int> list(bool json) {
  auto array = nlohmann::json::array();
  if (!json)
    fmt::print("{:<10}  {:<10}  {:>5}  {:<32}  {}\n", "NUMBER", "DIRECTION", "SIZE", "NAME",
               "HEADER");
  for (const IoctlName& each : known_ioctls()) {
    const std::uint32_t value = join_ioctl(each.number);
    const std::string_view direction = direction_name(each.number.direction);
    if (json)
      array.push_back({{"value", value},
                       {"direction", direction},
                       {"size", each.number.size},
                       {"name", each.name},
                       {"argument", each.argument},
                       {"header", each.header}});
    else
      fmt::print("{:#010x}  {:<10}  {:>5}  {:<32}  {}\n", value, direction, each.number.size,
                 each.name, each.header);
  }
  if (json) fmt::print("{}\n", array.dump());
  return 0;
}

void add_decode(CLI::App& command, Action& action) {
  CLI::App* decode_command = command.add_subcommand("decode", "say what numbers mean");
  decode_command->footer(
      "The kernel takes 32 bits for the number: 31 and 30 direction, 29 to 16 size,\n"
      "15 to 8 type, 7 to 0 number. Status 64 if some were no such number; the others\n"
      "are decoded all the same.");
  auto words = std::make_shared<std::vector<std::string>>();
  auto json = std::make_shared<bool>(false);
  decode_command->add_option("NUMBER", *words,
                             "decimal, or hexadecimal after 0x; - or none: from standard input");
  decode_command->add_flag("--json", *json, "as a JSON array");
  decode_command->callback(
      [words, json, &action] { action = [words, json] { return decode(*words, *json); }; });
}

void add_encode(CLI::App& command, Action& action) {
  CLI::App* encode_command = command.add_subcommand("encode", "make a number");
  encode_command->footer("As in: vmctl ioctl encode IOR 0xae 0x81 144");
  auto options = std::make_shared<EncodeOptions>();
  encode_command->add_option("MACRO", options->macro, "IO, IOR, IOW or IOWR")->required();
  encode_command->add_option("TYPE", options->type, "0 to 255, or a character")->required();
  encode_command->add_option("NUMBER", options->number, "0 to 255")->required();
  encode_command->add_option("SIZE", options->size,
                             "of the argument in bytes, 0 to 16383; not needed for IO");
  encode_command->add_flag("--json", options->json, "as JSON, as decode gives it");
  encode_command->callback([options, &action] { action = [options] { return encode(*options); }; });
}

void add_list(CLI::App& command, Action& action) {
  CLI::App* list_command =
      command.add_subcommand("list", "list all commands of KVM and vmctl that have a name");
  auto json = std::make_shared<bool>(false);
  list_command->add_flag("--json", *json, "as a JSON array");
  list_command->callback([json, &action] { action = [json] { return list(*json); }; });
}

}  // namespace

void add_ioctl(CLI::App& command, Action& action) {
  command.require_subcommand(1);
  command.footer("The names are those of the kernel headers that vmctl was built with.");
  add_decode(command, action);
  add_encode(command, action);
  add_list(command, action);
}

}  // namespace vmctl::cli
