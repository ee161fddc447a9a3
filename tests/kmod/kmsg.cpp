// SPDX-License-Identifier: GPL-2.0-only
#include "kmsg.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <regex>
#include <thread>

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

KernelLog::KernelLog(From from) : fd_(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
  ::lseek(fd_, 0, from == From::kNow ? SEEK_END : SEEK_SET);
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

void wait_for_room_in_the_log() {
  std::this_thread::sleep_for(std::chrono::milliseconds(5500));
}

bool is_report(const KernelLine& line) {
  static const std::regex report(
      "BUG:|BUG [^ ]+ \\(|kernel BUG at|WARNING:|Oops|general "
      "protection|refcount_t|KASAN|UBSAN|ODEBUG|possible recursive locking"
      "|circular locking|lock inversion|inconsistent lock state|suspicious RCU|held lock freed"
      "|sleeping function|scheduling while atomic|blocked for more than|corruption"
      "|rcu.*stall|Bad page");
  // What the kernel advises about the processor is none.
  static const std::regex advice("hw-vuln/");
  return std::regex_search(line.text, report) && !std::regex_search(line.text, advice);
}

bool is_complaint(const KernelLine& line) {
  static const std::regex about_others("Call Trace|debugfs: |already present");
  // What our modules warn of, the tests provoke; and random commands states that no processor
  // takes.
  static const std::regex provoked(
      "^(vmctl|nuke): |^\\w+: \\d+ callbacks suppressed|user requested TSC rate|^kvm \\[\\d+\\]: "
      "|set kvm_(amd\\.dump_invalid_vmcb|intel\\.dump_invalid_vmcs)=1"
      "|^kvm_.*: kvm \\[\\d+\\]: |SMP vm created on host with unstable TSC"
      "|^clocksource: |^hrtimer: interrupt took|^perf: interrupt took|module verification failed"
      "|loading out-of-tree module|split lock|process .* launched '/dev/|^systemd|TSC unstable");
  if (is_report(line) || std::regex_search(line.text, about_others)) return true;
  return line.level <= 4 && !std::regex_search(line.text, provoked);
}

namespace {
KernelLog& whole_run() {
  static KernelLog log(KernelLog::From::kBoot);
  return log;
}

template <class Test>
std::vector<std::string> fresh_lines(Test wanted) {
  std::vector<std::string> lines;
  for (const KernelLine& line : whole_run().fresh()) {
    if (wanted(line)) lines.push_back("<" + std::to_string(line.level) + "> " + line.text);
  }
  return lines;
}
}  // namespace

std::vector<std::string> reports() {
  return fresh_lines(is_report);
}

std::vector<std::string> complaints() {
  return fresh_lines(is_complaint);
}

void complaints_so_far() {
  for (const std::string& line : complaints()) ADD_FAILURE() << "kernel: " << line;
}

void forget_complaints() {
  complaints();
}

}  // namespace t
