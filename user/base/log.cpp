// SPDX-License-Identifier: GPL-2.0
#include "base/log.hpp"

#include <unistd.h>

#include <string>

#include "base/fd.hpp"

namespace vmctl {

void line_to_stderr(std::string_view text) {
  // When it fails nobody is left to be told.
  (void)write_all(STDERR_FILENO, std::string(text) + "\n");
}

void note(std::string_view message) {
  line_to_stderr("vmctl: " + std::string(message));
}

void report(const Error& error) {
  note(error.text());
}

}  // namespace vmctl
