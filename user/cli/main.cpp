// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <string_view>
#include <vector>

#include "cli/command.hpp"
#include "run/stacks.hpp"

int main(int argc, char** argv) {
  // A closed pipe is an error of write(), told and dealt with where it happens.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // EFBIG is an answer for a guest, too
  // If standard input, output or error are closed, no file of ours may come to stand there; writing
  // to what stands there instead fails with EBADF, as it would have.
  int fd = 0;
  while ((fd = ::open("/", O_PATH)) >= 0 && fd <= 2) continue;
  ::close(fd);
  vmctl::bound_stacks();
  return vmctl::cli::run(std::vector<std::string_view>(argv + 1, argv + argc));
}
