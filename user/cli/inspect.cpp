// SPDX-License-Identifier: GPL-2.0
// vmctl inspect: what an image is, and what of it would go where. Needs no KVM.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/size.hpp"
#include "cli/boot_options.hpp"
#include "cli/command.hpp"
#include "load/plan.hpp"
#include "machine/boot.hpp"

namespace vmctl::cli {
namespace {

struct InspectRequest {
  BootConfig boot;
  bool json = false;
};

std::string_view mode_name(EntryMode mode) {
  switch (mode) {
    case EntryMode::real:
      return "real";
    case EntryMode::protected32:
      return "protected";
    case EntryMode::long64:
      return "long";
  }
  return "unknown";
}

std::string file_of(const InspectRequest& request, std::size_t file) {
  return file == 0 ? request.boot.image : request.boot.files[file - 1].path;
}

nlohmann::json to_json(const InspectRequest& request, const Boot& boot) {
  const LoadPlan& plan = boot.plan();
  const Entry& entry = plan.entry;
  nlohmann::json json{{"file", request.boot.image},
                      {"size", boot.image().size()},
                      {"format", format_name(plan.format)},
                      {"notes", plan.notes},
                      {"memory", boot.memory_size()},
                      {"entry",
                       {{"mode", mode_name(entry.mode)},
                        {"address", entry.address.value},
                        {"rax", entry.rax},
                        {"rbx", entry.rbx},
                        {"rsi", entry.rsi},
                        {"rsp", entry.rsp}}},
                      {"segments", nlohmann::json::array()},
                      {"blocks", nlohmann::json::array()}};
  for (const Segment& segment : plan.segments)
    json["segments"].push_back({{"name", segment.name},
                                {"file", file_of(request, segment.file)},
                                {"offset", segment.offset},
                                {"length", segment.length},
                                {"gpa", segment.gpa.value},
                                {"memory_length", segment.memory_length},
                                {"read_only", segment.read_only}});
  for (const Block& block : plan.blocks)
    json["blocks"].push_back(
        {{"name", block.name}, {"gpa", block.gpa.value}, {"length", block.bytes.size()}});
  return json;
}

constexpr std::size_t kColumns = 7;
struct Line {
  std::uint64_t gpa;
  std::array<std::string, kColumns> cells;
};

std::string number(std::uint64_t value) {
  return fmt::format("{:#x}", value);
}

// Segments and blocks by address.
std::vector<Line> lines_of(const InspectRequest& request, const LoadPlan& plan) {
  std::vector<Line> lines;
  for (const Segment& segment : plan.segments)
    lines.push_back({segment.gpa.value,
                     {number(segment.gpa.value), number(segment.memory_length),
                      segment.read_only ? "ro" : "rw", segment.name, number(segment.offset),
                      number(segment.length), escaped(file_of(request, segment.file))}});
  for (const Block& block : plan.blocks)
    lines.push_back(
        {block.gpa.value,
         {number(block.gpa.value), number(block.bytes.size()), "rw", block.name, "-", "-", "-"}});
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.gpa < b.gpa; });
  lines.insert(lines.begin(), {0, {"GPA", "MEMORY", "", "WHAT", "OFFSET", "LENGTH", "FILE"}});
  return lines;
}

void print_text(const InspectRequest& request, const Boot& boot) {
  const LoadPlan& plan = boot.plan();
  const Entry& entry = plan.entry;
  fmt::print("{}: {}, {} bytes\n", escaped(request.boot.image), format_name(plan.format),
             boot.image().size());
  for (const std::string& note : plan.notes) fmt::print("  {}\n", escaped(note));
  fmt::print("entry {:#x} in {} mode", entry.address.value, mode_name(entry.mode));
  for (const auto& [name, value] :
       {std::pair("rax", entry.rax), {"rbx", entry.rbx}, {"rsi", entry.rsi}, {"rsp", entry.rsp}})
    if (value != 0) fmt::print(", {} {:#x}", name, value);
  fmt::print("\nmemory {}\n\n", format_size(boot.memory_size()));
  const auto lines = lines_of(request, plan);
  std::array<std::size_t, kColumns> width{};
  for (const Line& line : lines)
    for (std::size_t i = 0; i < kColumns; ++i) width[i] = std::max(width[i], line.cells[i].size());
  for (const Line& line : lines) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) fmt::print("{:<{}}  ", line.cells[i], width[i]);
    fmt::print("{}\n", line.cells.back());
  }
}

}  // namespace

void add_inspect(CLI::App& command, Action& action) {
  command.footer(
      "What vmctl load with the same options would do, without KVM: each piece of the guest's\n"
      "memory that is filled, by address, with the part of a file that goes there, or - for what\n"
      "vmctl makes itself. Status 65 for an image that cannot be loaded, with the reason.");
  auto request = std::make_shared<InspectRequest>();
  declare_boot(command, request->boot);
  command.add_flag("--json", request->json, "as a JSON object");
  command.callback([request, &action] {
    action = [request]() -> Result<int> {
      const Boot boot = TRY(Boot::prepare(request->boot));
      if (request->json)
        fmt::print(
            "{}\n",
            to_json(*request, boot).dump(-1, ' ', true, nlohmann::json::error_handler_t::replace));
      else
        print_text(*request, boot);
      return 0;
    };
  });
}

}  // namespace vmctl::cli
