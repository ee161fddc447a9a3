// SPDX-License-Identifier: GPL-2.0
#include "share/folder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <limits>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr int kNodeFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;
// What of open(2)'s flags concerns the file, and not the guest's own kernel.
constexpr int kFileFlags = O_ACCMODE | O_APPEND | O_TRUNC | O_SYNC | O_DSYNC;
constexpr mode_t kRunsAsOwner = S_ISUID | S_ISGID;
constexpr mode_t kModeBits = 07777;

tl::unexpected<int> error_of(int error) {
  return tl::unexpected<int>(error);
}
tl::unexpected<int> last_error() {
  return error_of(errno);
}

ForGuest<> done(int result) {
  if (result < 0) return last_error();
  return {};
}

ForGuest<struct stat> status_of(int fd) {
  struct stat status {};
  if (::fstatat(fd, "", &status, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) return last_error();
  return status;
}

// Whether no byte of these lies past the greatest offset there is.
bool within_offsets(off_t at, std::size_t size) {
  return at >= 0 && size <= static_cast<std::size_t>(std::numeric_limits<off_t>::max() - at);
}

bool changes_file(int flags) {
  return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC) != 0;
}

// As many as this process may have, without those that the rest of it needs.
std::size_t room_for_fds() {
  constexpr rlim_t kOthers = 128;
  constexpr rlim_t kMost = 1 << 20;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kOthers;
  const rlimit raised{std::min(limit.rlim_max, kMost), limit.rlim_max};
  if (raised.rlim_cur > limit.rlim_cur && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<std::size_t>(std::max(limit.rlim_cur, 2 * kOthers) - kOthers);
}

Failure cannot_share(const std::string& path, int error) {
  return fail({.status = error == EACCES || error == EPERM ? Status::refused : Status::no_input,
               .what = "cannot share a folder",
               .where = escaped(path),
               .why = errno_text(error)});
}

}  // namespace

#define FOR_GUEST(expression)                             \
  ({                                                      \
    auto for_guest_ = (expression);                       \
    if (!for_guest_) return error_of(for_guest_.error()); \
    ::vmctl::detail::value_of(for_guest_);                \
  })

Folder::Folder(Fd root, const struct stat& status, Fd own_fds, bool read_only)
    : inodes_(std::move(root), status),
      own_fds_(std::move(own_fds)),
      read_only_(read_only),
      fds_max_(room_for_fds()) {}

Result<Folder> Folder::open(const std::string& path, bool read_only) {
  // What is given is the user's word: links in it are followed.
  Fd root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return cannot_share(path, errno);
  const auto status = status_of(root.get());
  if (!status) return cannot_share(path, status.error());
  Fd own_fds(::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!own_fds.valid())
    return fail({.status = Status::unavailable,
                 .what = "cannot share a folder",
                 .where = "/proc/self/fd",
                 .why = errno_text(errno),
                 .advice = "mount /proc"});
  return Folder(std::move(root), *status, std::move(own_fds), read_only);
}

ForGuest<const Inode*> Folder::find(std::uint64_t inode) const {
  const Inode* found = inodes_.find(inode);
  if (found == nullptr) return error_of(ESTALE);
  return found;
}

ForGuest<int> Folder::folder(std::uint64_t inode) const {
  const Inode* found = FOR_GUEST(find(inode));
  if (!S_ISDIR(found->type)) return error_of(ENOTDIR);
  return found->fd.get();
}

ForGuest<int> Folder::file(std::uint64_t handle) const {
  const OpenFile* found = files_.find(handle);
  if (found == nullptr || found->folder) return error_of(EBADF);
  return found->fd.get();
}

ForGuest<> Folder::writable() const {
  if (read_only_) return error_of(EROFS);
  return {};
}

ForGuest<> Folder::room() const {
  if (inodes_.size() + files_.size() >= fds_max_) return error_of(ENFILE);
  return {};
}

ForGuest<Folder::Found> Folder::look_up(std::uint64_t parent, const char* name) {
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(room());
  Fd fd(::openat(at, name, kNodeFlags));
  if (!fd.valid()) return last_error();
  const struct stat status = FOR_GUEST(status_of(fd.get()));
  return Found{.inode = inodes_.add(std::move(fd), status), .status = status};
}

void Folder::forget_all() {
  files_.clear();
  inodes_.clear();
}

ForGuest<struct stat> Folder::status(std::uint64_t inode) const {
  return status_of(FOR_GUEST(find(inode))->fd.get());
}

ForGuest<Fd> Folder::reopen(const Inode& inode, int flags) const {
  if (S_ISDIR(inode.type)) return error_of(EISDIR);
  if (!S_ISREG(inode.type)) return error_of(EACCES);
  Fd fd(::openat(own_fds_.get(), fmt::format("{}", inode.fd.get()).c_str(),
                 (flags & kFileFlags) | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return last_error();
  return fd;
}

ForGuest<> Folder::set_mode(const Inode& inode, mode_t mode) const {
  const struct stat now = FOR_GUEST(status_of(inode.fd.get()));
  // What the file had already it may keep.
  if (!S_ISDIR(inode.type) && (mode & kRunsAsOwner & ~now.st_mode) != 0) return error_of(EPERM);
  if (S_ISLNK(inode.type)) return error_of(EOPNOTSUPP);
  return done(
      ::fchmodat(own_fds_.get(), fmt::format("{}", inode.fd.get()).c_str(), mode & kModeBits, 0));
}

ForGuest<struct stat> Folder::change(std::uint64_t inode, const Changes& changes,
                                     std::optional<std::uint64_t> handle) {
  const Inode* found = FOR_GUEST(find(inode));
  FOR_GUEST(writable());
  const int fd = found->fd.get();
  if (changes.mode) FOR_GUEST(set_mode(*found, *changes.mode));
  if (changes.uid || changes.gid)
    FOR_GUEST(done(::fchownat(fd, "", changes.uid.value_or(static_cast<uid_t>(-1)),
                              changes.gid.value_or(static_cast<gid_t>(-1)),
                              AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)));
  if (changes.size && handle) {
    const int written = FOR_GUEST(file(*handle));
    FOR_GUEST(done(::ftruncate(written, *changes.size)));
  } else if (changes.size) {
    const Fd written = FOR_GUEST(reopen(*found, O_WRONLY));
    FOR_GUEST(done(::ftruncate(written.get(), *changes.size)));
  }
  if (changes.access.tv_nsec != UTIME_OMIT || changes.modification.tv_nsec != UTIME_OMIT) {
    const std::array<timespec, 2> times{changes.access, changes.modification};
    FOR_GUEST(done(::utimensat(fd, "", times.data(), AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)));
  }
  return status_of(fd);
}

ForGuest<std::string> Folder::read_link(std::uint64_t inode) const {
  const Inode* found = FOR_GUEST(find(inode));
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(found->fd.get(), "", target.data(), target.size());
  if (size < 0) return last_error();
  return std::string(target.data(), static_cast<std::size_t>(size));
}

ForGuest<struct statvfs> Folder::file_system() const {
  struct statvfs status {};
  if (::fstatvfs(inodes_.find(Inodes::kRoot)->fd.get(), &status) != 0) return last_error();
  return status;
}

ForGuest<Folder::Found> Folder::make_folder(std::uint64_t parent, const char* name, mode_t mode,
                                            FileOwner owner) {
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(writable());
  FOR_GUEST(room());
  {
    const CreateAs as(owner);
    if (as.error() != 0) return error_of(as.error());
    FOR_GUEST(done(::mkdirat(at, name, mode & kModeBits)));
  }
  return look_up(parent, name);
}

ForGuest<Folder::Found> Folder::make_node(std::uint64_t parent, const char* name, mode_t mode,
                                          FileOwner owner) {
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(writable());
  FOR_GUEST(room());
  const mode_t type = (mode & S_IFMT) == 0 ? S_IFREG : mode & S_IFMT;
  if ((type != S_IFREG && type != S_IFIFO && type != S_IFSOCK) || (mode & kRunsAsOwner) != 0)
    return error_of(EPERM);
  {
    const CreateAs as(owner);
    if (as.error() != 0) return error_of(as.error());
    FOR_GUEST(done(::mknodat(at, name, type | (mode & kModeBits), 0)));
  }
  return look_up(parent, name);
}

ForGuest<Folder::Found> Folder::make_link(std::uint64_t parent, const char* name,
                                          const char* target, FileOwner owner) {
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(writable());
  FOR_GUEST(room());
  {
    const CreateAs as(owner);
    if (as.error() != 0) return error_of(as.error());
    FOR_GUEST(done(::symlinkat(target, at, name)));
  }
  return look_up(parent, name);
}

ForGuest<Folder::Found> Folder::link(std::uint64_t inode, std::uint64_t parent, const char* name) {
  const Inode* found = FOR_GUEST(find(inode));
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(writable());
  FOR_GUEST(room());
  FOR_GUEST(done(::linkat(own_fds_.get(), fmt::format("{}", found->fd.get()).c_str(), at, name,
                          AT_SYMLINK_FOLLOW)));
  return look_up(parent, name);
}

ForGuest<> Folder::remove(std::uint64_t parent, const char* name, bool is_folder) {
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(writable());
  return done(::unlinkat(at, name, is_folder ? AT_REMOVEDIR : 0));
}

ForGuest<> Folder::rename(std::uint64_t from, const char* old_name, std::uint64_t to,
                          const char* new_name, unsigned flags) {
  const int from_fd = FOR_GUEST(folder(from));
  const int to_fd = FOR_GUEST(folder(to));
  FOR_GUEST(writable());
  // RENAME_WHITEOUT would make a device node.
  if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE | RENAME_EXCHANGE)) != 0)
    return error_of(EINVAL);
  return done(::renameat2(from_fd, old_name, to_fd, new_name, flags));
}

ForGuest<Folder::Created> Folder::create(std::uint64_t parent, const char* name, mode_t mode,
                                         int flags, FileOwner owner) {
  const int at = FOR_GUEST(folder(parent));
  FOR_GUEST(writable());
  FOR_GUEST(room());
  if ((mode & kRunsAsOwner) != 0) return error_of(EPERM);
  Fd fd;
  int error = 0;
  {
    const CreateAs as(owner);
    if (as.error() != 0) return error_of(as.error());
    // Only a file that did not exist is opened by its name: it is a plain one.
    fd = Fd(::openat(at, name,
                     (flags & kFileFlags) | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
                     mode & kModeBits));
    error = errno;
  }
  if (!fd.valid() && (error != EEXIST || (flags & O_EXCL) != 0)) return error_of(error);
  if (fd.valid()) {
    const struct stat status = FOR_GUEST(status_of(fd.get()));
    Fd node(::openat(own_fds_.get(), fmt::format("{}", fd.get()).c_str(), O_PATH | O_CLOEXEC));
    if (!node.valid()) return last_error();
    return Created{.found = {.inode = inodes_.add(std::move(node), status), .status = status},
                   .handle = files_.add({.fd = std::move(fd)})};
  }
  const Found found = FOR_GUEST(look_up(parent, name));
  const auto opened = open_file(found.inode, flags);
  if (!opened) {
    forget(found.inode, 1);
    return error_of(opened.error());
  }
  return Created{.found = found, .handle = opened->handle};
}

ForGuest<Folder::Opened> Folder::open_file(std::uint64_t inode, int flags) {
  const Inode* found = FOR_GUEST(find(inode));
  if (changes_file(flags)) FOR_GUEST(writable());
  FOR_GUEST(room());
  Fd fd = FOR_GUEST(reopen(*found, flags));
  return Opened{.handle = files_.add({.fd = std::move(fd)})};
}

ForGuest<Folder::Opened> Folder::open_folder(std::uint64_t inode) {
  const int at = FOR_GUEST(folder(inode));
  FOR_GUEST(room());
  Fd fd(::openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return last_error();
  return Opened{.handle = files_.add({.fd = std::move(fd), .folder = true})};
}

ForGuest<std::size_t> Folder::read(std::uint64_t handle, off_t at,
                                   std::span<std::uint8_t> into) const {
  const int fd = FOR_GUEST(file(handle));
  if (!within_offsets(at, into.size())) return error_of(EINVAL);
  std::size_t got = 0;
  while (got < into.size()) {
    const ssize_t more =
        ::pread(fd, into.data() + got, into.size() - got, at + static_cast<off_t>(got));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0 && got == 0) return last_error();
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  return got;
}

ForGuest<std::size_t> Folder::write(std::uint64_t handle, off_t at,
                                    std::span<const std::uint8_t> from) {
  const int fd = FOR_GUEST(file(handle));
  FOR_GUEST(writable());
  if (!within_offsets(at, from.size())) return error_of(EINVAL);
  std::size_t put = 0;
  while (put < from.size()) {
    const ssize_t more =
        ::pwrite(fd, from.data() + put, from.size() - put, at + static_cast<off_t>(put));
    if (more < 0 && errno == EINTR) continue;
    if (more < 0 && put == 0) return last_error();
    if (more <= 0) break;
    put += static_cast<std::size_t>(more);
  }
  return put;
}

ForGuest<> Folder::list(std::uint64_t inode, std::uint64_t handle, off_t at, std::size_t room,
                        const Each& each) const {
  const OpenFile* opened = files_.find(handle);
  if (opened == nullptr || !opened->folder) return error_of(EBADF);
  const int fd = opened->fd.get();
  if (::lseek(fd, at, SEEK_SET) < 0) return last_error();
  constexpr std::size_t kLeast = 1024;
  alignas(dirent64) std::array<char, 32768> entries{};
  for (;;) {
    const ssize_t size = ::getdents64(fd, entries.data(), std::clamp(room, kLeast, entries.size()));
    if (size < 0) return last_error();
    if (size == 0) return {};
    for (ssize_t offset = 0; offset < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries.data() + offset);
      struct stat status {};
      status.st_ino = entry->d_ino;
      status.st_mode = DTTOIF(entry->d_type);
      // What the root lies in is not the guest's to know.
      if (inode == Inodes::kRoot && std::string_view(&entry->d_name[0]) == "..")
        status.st_ino = inodes_.find(inode)->key.second;
      if (!each(&entry->d_name[0], status, entry->d_off)) return {};
      offset += entry->d_reclen;
    }
  }
}

ForGuest<> Folder::sync(std::uint64_t handle, bool data_only) const {
  const OpenFile* opened = files_.find(handle);
  if (opened == nullptr) return error_of(EBADF);
  return done(data_only ? ::fdatasync(opened->fd.get()) : ::fsync(opened->fd.get()));
}

ForGuest<> Folder::flush(std::uint64_t handle) const {
  // What a file system has to say at close(2) it says to a copy.
  const int fd = FOR_GUEST(file(handle));
  const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return last_error();
  return done(::close(copy));
}

ForGuest<> Folder::allocate(std::uint64_t handle, int mode, off_t at, off_t length) {
  const int fd = FOR_GUEST(file(handle));
  FOR_GUEST(writable());
  return done(::fallocate(fd, mode, at, length));
}

ForGuest<off_t> Folder::seek(std::uint64_t handle, off_t at, int whence) const {
  const int fd = FOR_GUEST(file(handle));
  // Where an fd stands nobody cares for; where data and holes are is the question.
  if (whence != SEEK_DATA && whence != SEEK_HOLE) return error_of(EINVAL);
  const off_t found = ::lseek(fd, at, whence);
  if (found < 0) return last_error();
  return found;
}

}  // namespace vmctl
