// SPDX-License-Identifier: GPL-2.0-only
//
// kernel-watch COMMAND...
//
// Runs a command and then tells, as a test case of GoogleTest's form, whether
// the kernel has reported any defect since it started, or lost memory. Ends
// with the command's status, or with 1 if that is 0 and there is a report.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "kmsg.hpp"
#include "leaks.hpp"

namespace {

constexpr const char* kCase = "Kernel.HasNothingToReport";

int run(char** command) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execvp(command[0], command);
    std::perror(command[0]);
    ::_exit(127);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return 127;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool is_quiet() {
  std::printf("[ RUN      ] %s\n", kCase);
  std::fflush(stdout);
  const auto begin = std::chrono::steady_clock::now();
  auto found = t::reports();
  if (t::finds_leaks()) {
    for (std::string& report : t::leaks()) found.push_back(std::move(report));
  }
  for (const std::string& line : found) std::puts(line.c_str());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  std::printf("[%s ] %s (%.0f ms)\n", found.empty() ? "       OK" : "  FAILED ", kCase,
              took.count());
  return found.empty();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: kernel-watch COMMAND...\n", stderr);
    return 64;
  }
  const int status = run(argv + 1);
  const bool quiet = is_quiet();
  return status != 0 ? status : quiet ? 0 : 1;
}
