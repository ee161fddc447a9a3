// SPDX-License-Identifier: GPL-2.0
// The kernel log, record by record (Documentation/ABI/testing/dev-kmsg).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace vmctl {

struct KmsgRecord {
  std::uint64_t sequence = 0;
  std::uint64_t microseconds = 0;  // since boot
  std::string message;             // unprintable bytes as \xNN, as the kernel gives them
};

// "6,339,5140900,-;message\n SUBSYSTEM=...": nothing if it is not of that form.
std::optional<KmsgRecord> parse_kmsg(std::string_view record);

// "[    5.140900] message"
std::string format_kmsg(const KmsgRecord& record);

class Kmsg {
 public:
  static Result<Kmsg> open();

  enum class Wait { no, yes };
  // The next record, from the oldest that the kernel still has; nothing at the end of the log if
  // it is not to wait. Records that were overwritten before they were read are skipped and counted.
  Result<std::optional<KmsgRecord>> next(Wait wait);

  // Times that records were lost since the last call.
  unsigned take_lost();

 private:
  explicit Kmsg(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  unsigned lost_ = 0;
};

}  // namespace vmctl
