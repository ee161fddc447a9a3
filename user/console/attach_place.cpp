// SPDX-License-Identifier: GPL-2.0
#include "console/attach_place.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

bool is_private(const struct stat& status, uid_t user) {
  return S_ISDIR(status.st_mode) && status.st_uid == user && (status.st_mode & 077) == 0;
}

// The folder that it is made in must be there, and nobody else's to rename things in.
bool may_make_in(const std::string& parent, uid_t user) {
  struct stat status {};
  if (::stat(parent.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  const bool others_write = (status.st_mode & 022) != 0;
  return (status.st_uid == user || status.st_uid == 0) &&
         (!others_write || (status.st_mode & S_ISVTX) != 0);
}

}  // namespace

std::vector<std::string> attach_folders(uid_t user) {
  std::vector<std::string> folders;
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  if (user == ::geteuid() && runtime != nullptr && runtime[0] == '/')
    folders.push_back(fmt::format("{}/vmctl", runtime));
  folders.push_back(fmt::format("/run/user/{}/vmctl", user));
  if (user == 0) folders.emplace_back("/run/vmctl");
  folders.push_back(fmt::format("/tmp/vmctl-{}", user));
  return folders;
}

bool is_private_folder(const std::string& path, uid_t user) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && is_private(status, user);
}

Result<std::string> make_attach_folder() {
  const uid_t user = ::geteuid();
  std::string tried;
  for (const std::string& folder : attach_folders(user)) {
    const std::string parent = std::filesystem::path(folder).parent_path();
    if (may_make_in(parent, user) && (::mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) &&
        is_private_folder(folder, user))
      return folder;
    tried += (tried.empty() ? "" : ", ") + escaped(folder);
  }
  return fail({.status = Status::output,
               .what = "no folder for the socket that vmctl attach connects to",
               .why = fmt::format("none of these is, or can be made, a folder that only uid {} can "
                                  "use: {}",
                                  user, tried),
               .advice = "set XDG_RUNTIME_DIR to one, or give --no-attach"});
}

std::string attach_name(std::uint32_t vm, pid_t pid) {
  return vm != 0 ? fmt::format("vm-{}.sock", vm) : fmt::format("pid-{}.sock", pid);
}

}  // namespace vmctl
