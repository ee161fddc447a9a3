// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's log, read from where it stands now.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "sys.hpp"

namespace t {

struct KernelLine {
  int level;  // 0 emergency to 7 debug
  std::string text;
};

class KernelLog {
 public:
  enum class From { kNow, kBoot };  // the latter as far back as the kernel keeps it
  explicit KernelLog(From from = From::kNow);
  // What was logged since the last call.
  std::vector<KernelLine> fresh();
  // Whether a line comes, or came since the last call, that the expression finds.
  bool shows(const std::string& expression,
             std::chrono::milliseconds limit = std::chrono::seconds(2));
  // All that shows() and fresh() have taken so far, for messages.
  [[nodiscard]] const std::string& seen() const { return seen_; }

 private:
  Fd fd_;
  std::vector<KernelLine> unread_;
  std::string seen_;
};

// Waits until all lines of VMs' lives are said again: a user has so many in five seconds, and
// whoever came before may have used them up.
void wait_for_room_in_the_log();

// Whether the kernel reports a defect of its own code, as KASAN, lockdep and WARN_ON() do.
bool is_report(const KernelLine& line);
// Whether a kernel line is a complaint: a report, or of level warning or worse, and not one that
// the tests provoke.
bool is_complaint(const KernelLine& line);

// Of one log from boot on, what came since the last call of any of these.
std::vector<std::string> reports();
std::vector<std::string> complaints();
void complaints_so_far();  // there should be none
void forget_complaints();

}  // namespace t
