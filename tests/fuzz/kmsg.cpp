// SPDX-License-Identifier: GPL-2.0
// Records of the kernel log.
#include "kernel/kmsg.hpp"

#include <fmt/format.h>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  const std::string text = Input(data, size).rest();
  const auto record = parse_kmsg(text);
  if (!record) return 0;
  const std::string head = text.substr(0, text.find(';'));
  require(std::count(head.begin(), head.end(), ',') >= 3, "a record has four fields or more");
  require(is_safe(record->message), "a message is one safe line");
  require(format_kmsg(*record).ends_with("] " + record->message), "and is shown whole");
  const auto again = parse_kmsg(
      fmt::format("6,{},{},-;{}", record->sequence, record->microseconds, record->message));
  require(again && again->sequence == record->sequence &&
              again->microseconds == record->microseconds && again->message == record->message,
          "a record reads back");
  return 0;
}
