// SPDX-License-Identifier: GPL-2.0-only
#include "kmsg.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <regex>

namespace t {
namespace {
// /dev/kmsg writes \xNN for what is not printable, and for a backslash.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] == 'x') {
      plain += static_cast<char>(std::stoi(text.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

KernelLog::KernelLog() : fd_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  ::lseek(fd_, 0, SEEK_END);
}

std::vector<KernelLine> KernelLog::fresh() {
  std::array<char, 8192> record{};
  std::vector<KernelLine> lines = std::exchange(unread_, {});
  for (;;) {
    const ssize_t n = ::read(fd_, record.data(), record.size());
    if (n < 0 && errno == EPIPE) continue;  // the ring went over some
    if (n <= 0) return lines;
    // "level,number,microseconds,flags;text\n KEY=value\n"
    const std::string text(record.data(), static_cast<std::size_t>(n));
    const auto start = text.find(';') + 1;
    const auto end = text.find('\n', start);
    lines.push_back({std::atoi(text.c_str()) & 7, unescaped(text.substr(start, end - start))});
    seen_ += lines.back().text + "\n";
  }
}

bool KernelLog::shows(const std::string& expression, std::chrono::milliseconds limit) {
  const std::regex wanted(expression);
  std::vector<KernelLine> kept;
  const bool found = eventually(
      [&] {
        auto lines = fresh();
        const auto hit = std::find_if(lines.begin(), lines.end(), [&](const KernelLine& line) {
          return std::regex_search(line.text, wanted);
        });
        const bool here = hit != lines.end();
        if (here) lines.erase(hit);
        std::move(lines.begin(), lines.end(), std::back_inserter(kept));
        return here;
      },
      limit);
  unread_ = std::move(kept);
  return found;
}

bool is_complaint(const KernelLine& line) {
  static const std::regex about_itself(
      "BUG:|WARNING:|Oops|general protection|refcount_t|KASAN|UBSAN|possible recursive locking"
      "|circular locking|suspicious RCU|sleeping function|Call Trace|blocked for more than"
      "|rcu.*stall|debugfs: |already present|Bad page|memory leak");
  // What our modules warn of, the tests provoke.
  static const std::regex provoked(
      "^(vmctl|nuke): |^\\w+: \\d+ callbacks suppressed|user requested TSC rate|^kvm \\[\\d+\\]: "
      "|^kvm_.*: kvm \\[\\d+\\]: |SMP vm created on host with unstable TSC"
      "|^clocksource: |^hrtimer: interrupt took|^perf: interrupt took|module verification failed"
      "|loading out-of-tree module|split lock|process .* launched '/dev/|^systemd|TSC unstable");
  if (std::regex_search(line.text, about_itself)) return true;
  return line.level <= 4 && !std::regex_search(line.text, provoked);
}

namespace {
KernelLog& whole_run() {
  static KernelLog log;
  return log;
}
}  // namespace

void complaints_so_far() {
  for (const KernelLine& line : whole_run().fresh()) {
    EXPECT_FALSE(is_complaint(line)) << "kernel: <" << line.level << "> " << line.text;
  }
}

void forget_complaints() {
  whole_run().fresh();
}

}  // namespace t
