// SPDX-License-Identifier: GPL-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/fd.hpp"

namespace vmctl {

std::optional<std::string> read_file(const std::string& path) {
  constexpr std::size_t kLimit = 1 << 20;
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.valid()) return std::nullopt;
  std::string text;
  std::array<char, 4096> chunk{};
  while (text.size() < kLimit) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string read_line(const std::string& path) {
  std::string text = read_file(path).value_or("");
  text.erase(text.find_last_not_of(" \n\t") + 1);
  return text;
}

}  // namespace vmctl
