// SPDX-License-Identifier: GPL-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <cerrno>
#include <string>

namespace vmctl {
namespace {

void write_all(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;  // nobody is left to be told
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void line_to_stderr(std::string_view text) {
  write_all(std::string(text) + "\n");
}

void note(std::string_view message) {
  line_to_stderr("vmctl: " + std::string(message));
}

void report(const Error& error) {
  note(error.text());
}

}  // namespace vmctl
