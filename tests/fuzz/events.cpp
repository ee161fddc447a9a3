// SPDX-License-Identifier: GPL-2.0
// Events as a module gives them, and a process's line in /proc.
#include "watch/events.hpp"

#include <cstring>

#include "property.hpp"
#include "watch/sample.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

FUZZ_TARGET(data, size) {
  const std::string bytes = Input(data, size).rest();
  (void)parse_guest_ticks(bytes);
  vmctl_event event{};
  std::memcpy(&event, bytes.data(), std::min(bytes.size(), sizeof event));
  const std::string text = format_event(event);
  require(is_safe(text), "a line is safe on a terminal");
  require(text.find('\n') == std::string::npos, "and is one");
  require(nlohmann::json::parse(event_to_json(event).dump())["uid"] == event.uid,
          "JSON reads back");
  return 0;
}
