// SPDX-License-Identifier: GPL-2.0
#include "kernel/vm_table.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/bytes.hpp"
#include "base/terminal.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kFields = 9;

template <class T>
bool parse_field(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

std::string text_field(std::string_view text) {
  // The kernel escapes already; what comes from elsewhere must not reach a terminal either.
  return text == "-" ? "" : for_terminal(text);
}

}  // namespace

Result<VmRow> parse_vm_row(std::string_view line) {
  std::array<std::string_view, kFields> field;
  std::size_t count = 0;
  for (std::string_view rest = line; count < kFields; ++count) {
    const auto space = rest.find(' ');
    field[count] = rest.substr(0, space);
    if (field[count].empty()) break;
    if (space == std::string_view::npos) {
      ++count;
      break;
    }
    rest.remove_prefix(space + 1);
  }
  VmRow row;
  if (count < kFields || !parse_field(field[0], row.id) || !parse_field(field[1], row.pid) ||
      !parse_field(field[2], row.uid) || !parse_field(field[5], row.vcpus) ||
      !parse_field(field[6], row.memory) || !parse_field(field[7], row.exits))
    return fail({.status = Status::internal,
                 .what = "cannot read the table of VMs",
                 .where = fmt::format("'{}'", escaped(line)),
                 .why = "not a line of this program's ABI",
                 .advice = "vmctl doctor compares the module's version with this program's"});
  row.name = text_field(field[3]);
  row.state = text_field(field[4]);
  row.image = text_field(field[8]);
  return row;
}

Result<std::vector<VmRow>> parse_vm_table(std::string_view text) {
  std::vector<VmRow> rows;
  while (!text.empty()) {
    const auto end = text.find('\n');
    rows.push_back(TRY(parse_vm_row(text.substr(0, end))));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return rows;
}

Result<std::vector<VmRow>> read_vm_table(const Node& node) {
  std::string text;
  std::array<char, 1 << 16> chunk;
  for (;;) {
    const ssize_t got =
        ::pread(node.fd().get(), chunk.data(), chunk.size(), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      return fail({.status = Status::internal,
                   .what = "cannot read the table of VMs",
                   .where = node.path(),
                   .why = errno_text(errno)});
    if (got == 0) return parse_vm_table(text);
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace vmctl
