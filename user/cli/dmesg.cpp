// SPDX-License-Identifier: GPL-2.0
// vmctl dmesg: the module's lines of the kernel log.
#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string_view>

#include "base/log.hpp"
#include "cli/command.hpp"
#include "kernel/kmsg.hpp"

namespace vmctl::cli {
namespace {

constexpr std::string_view kPrefix = "vmctl:";

Result<int> show(bool follow) {
  Kmsg log = TRY(Kmsg::open());
  while (true) {
    const auto record = TRY(log.next(follow ? Kmsg::Wait::yes : Kmsg::Wait::no));
    // At the start of the ring it is normal that older records are gone.
    if (log.take_lost() != 0 && follow) note("lines of the kernel log were lost: it went too fast");
    if (!record) return 0;
    if (!record->message.starts_with(kPrefix)) continue;
    fmt::print("{}\n", format_kmsg(*record));
    if (follow && std::fflush(stdout) != 0)
      return fail({.status = Status::output,
                   .what = "cannot write to standard output",
                   .why = "its reader is gone"});
  }
}

}  // namespace

void add_dmesg(CLI::App& command, Action& action) {
  auto follow = std::make_shared<bool>(false);
  command.add_flag("-f,--follow", *follow, "wait for new lines, until Ctrl-C");
  command.callback([follow, &action] { action = [follow] { return show(*follow); }; });
}

}  // namespace vmctl::cli
