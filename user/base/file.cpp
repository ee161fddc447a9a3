// SPDX-License-Identifier: GPL-2.0
#include "base/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>

namespace vmctl {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kUsualMode = S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH;
constexpr mode_t kPermissions = 07777;

// Where symbolic links lead to, be there something or not.
fs::path end_of_links(fs::path path) {
  constexpr int kMost = 40;  // as the kernel has it
  std::error_code error;
  for (int i = 0; i < kMost && fs::is_symlink(path, error); ++i)
    path = path.parent_path() / fs::read_symlink(path, error);
  return path;
}

bool make_folder(const fs::path& folder) {
  std::error_code error;
  // The umask has no say.
  if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms(0755), error);
  errno = error.value();
  return !error;
}

// As what stands there, or usual.
bool dress(const Fd& fd, const fs::path& like) {
  struct stat old {};
  if (::stat(like.c_str(), &old) != 0) return ::fchmod(fd.get(), kUsualMode) == 0;
  return ::fchown(fd.get(), old.st_uid, old.st_gid) == 0 &&
         ::fchmod(fd.get(), old.st_mode & kPermissions) == 0;
}

}  // namespace

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

bool replace_file(const std::string& path, const std::string& text) {
  const fs::path target = end_of_links(path);
  const fs::path folder = target.has_parent_path() ? target.parent_path() : ".";
  if (!make_folder(folder)) return false;
  std::string draft = target.string() + ".XXXXXX";
  const Fd fd(::mkostemp(draft.data(), O_CLOEXEC));
  if (!fd.valid()) return false;
  if (write_all(fd.get(), text) && dress(fd, target) && ::fsync(fd.get()) == 0 &&
      ::rename(draft.c_str(), target.c_str()) == 0) {
    // That the new one is there after a loss of power, too, where the file system has that.
    ::fsync(Fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)).get());
    return true;
  }
  const int reason = errno;
  ::unlink(draft.c_str());
  errno = reason;
  return false;
}

bool write_file(const std::string& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  return fd.valid() && write_all(fd.get(), text);
}

Fd lock_file(const std::string& path) {
  constexpr mode_t kOwner = S_IRUSR | S_IWUSR;
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kOwner));
  while (fd.valid() && ::flock(fd.get(), LOCK_EX) != 0 && errno == EINTR) {
  }
  return fd;
}

}  // namespace vmctl
