// SPDX-License-Identifier: GPL-2.0
#include "cli/boot_options.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "base/size.hpp"
#include "cli/parsed.hpp"
#include "load/format.hpp"
#include "machine/layout.hpp"

namespace vmctl::cli {
namespace {

Result<std::uint64_t> parse_memory(const std::string& text) {
  const std::uint64_t size = TRY(parse_size(text));
  std::string why;
  if (size == 0 || size % layout::kPageSize != 0) why = "not a multiple of 4 KiB, more than 0";
  if (size > layout::kMemoryMax) why = "more than a guest can have";
  if (!why.empty())
    return fail({.status = Status::usage, .what = fmt::format("'{}'", text), .why = why});
  return size;
}

// A file whose name has a comma is given as it is where there is such a file.
BootFileConfig parse_file(const std::string& text) {
  const std::size_t comma = text.find(',');
  std::error_code ignored;
  if (comma == std::string::npos || std::filesystem::exists(text, ignored))
    return {.path = text, .arguments = ""};
  return {.path = text.substr(0, comma), .arguments = text.substr(comma + 1)};
}

}  // namespace

void declare_boot(CLI::App& command, BootConfig& boot) {
  command.add_option("FILE", boot.image, "the guest image")->required()->type_name("");
  add_parsed(
      command, "--format",
      "flat, elf, multiboot1, multiboot2, pvh, bzimage or vmlinux (as its content says)", "FORMAT",
      [](const std::string& name) { return parse_format(name); },
      [&boot](Format format) { boot.format = format; });
  add_parsed(command, "--at", "load it at this guest physical address (0x1000); flat images",
             "ADDR", parse_size, [&boot](std::uint64_t at) { boot.flat.at = GuestAddr{at}; });
  add_parsed(command, "--entry", "start here (where it is loaded); flat images", "ADDR", parse_size,
             [&boot](std::uint64_t entry) { boot.flat.entry = GuestAddr{entry}; });
  add_parsed(command, "--mem,-m", "the guest's memory (flat images 64M, others 512M)", "SIZE",
             parse_memory, [&boot](std::uint64_t size) { boot.memory = size; });
  command
      .add_option_function<std::vector<std::string>>(
          "--initrd",
          [&boot](const std::vector<std::string>& texts) {
            for (const std::string& text : texts) boot.files.push_back(parse_file(text));
          },
          "an initrd for Linux, a module for others, with its arguments; repeatable")
      ->type_name("FILE[,ARGUMENTS]")
      ->allow_extra_args(false);
  command.add_option("--append", boot.command_line, "the kernel's command line")->type_name("TEXT");
}

}  // namespace vmctl::cli
