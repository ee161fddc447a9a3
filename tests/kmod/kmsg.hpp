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
  KernelLog();
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

// Whether a kernel line is a complaint: level warning or worse, or a report of
// the kernel about itself, and not one that the tests provoke.
bool is_complaint(const KernelLine& line);

// Complaints since the last call of either: expected to be none, or dropped.
void complaints_so_far();
void forget_complaints();

}  // namespace t
