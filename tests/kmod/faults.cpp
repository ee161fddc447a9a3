// SPDX-License-Identifier: GPL-2.0-only
#include "faults.hpp"

#include <fcntl.h>

#include <cstdlib>

namespace t {
namespace {
const std::string kDebug = "/sys/kernel/debug/";
}

Faults::Faults() : switch_(::open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC)) {
  if (!available()) return;
  for (const std::string& folder : entries_of(kDebug)) {
    if (folder.starts_with("fail")) set(folder + "/verbose", "0");
  }
  for (const char* folder : {"failslab", "fail_page_alloc"}) {
    set(folder + std::string("/ignore-gfp-wait"), "N");
  }
  set("fail_page_alloc/ignore-gfp-highmem", "N");
  set("fail_page_alloc/min-order", "0");
}

Faults::~Faults() {
  if (!available()) return;
  arm(0);
  for (const auto& [name, value] : before_) spit(kDebug + name, value);
}

void Faults::set(const std::string& name, const std::string& value) {
  const std::string old = slurp(kDebug + name);
  if (!old.empty() && spit(kDebug + name, value)) before_[name] = old;
}

void Faults::arm(int nth) const {
  const std::string text = std::to_string(nth);
  // Where the one before has not been used up, this call may be what fails, once.
  while (::pwrite(switch_, text.data(), text.size(), 0) < 0 && errno != EBADF) {
  }
}

int Faults::left() const {
  char left[16] = {};
  const ssize_t n = ::pread(switch_, left, sizeof left - 1, 0);
  arm(0);
  return n > 0 ? std::atoi(left) : -1;
}

}  // namespace t
