// SPDX-License-Identifier: GPL-2.0
// A folder of the host that a guest shares, by inodes and single names. Each inode is held by an
// O_PATH fd, each name is looked up in one of these without following links: no path and no ".."
// ever leads out of the folder. Symbolic links are texts that the guest follows, in its own tree.
//
// Everything is done with the rights of this process; where it is root, what a guest's user makes
// is that user's. What would be dangerous on the host beyond the files' contents a guest cannot
// make: device nodes, and files that run as their owner or group (set-uid, set-gid).
#pragma once

#include <dirent.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "share/create_as.hpp"
#include "share/inodes.hpp"

namespace vmctl {

// What a guest gets: a value, or an errno.
template <class T = void>
using ForGuest = tl::expected<T, int>;

class Folder {
 public:
  struct Found {
    std::uint64_t inode;
    struct stat status;
  };
  struct Opened {
    std::uint64_t handle;
  };
  struct Created {
    Found found;
    std::uint64_t handle;
  };
  // What is to be set; nothing stays as it is.
  struct Changes {
    std::optional<mode_t> mode;
    std::optional<uid_t> uid;
    std::optional<gid_t> gid;
    std::optional<off_t> size;
    timespec access{.tv_sec = 0, .tv_nsec = UTIME_OMIT};
    timespec modification{.tv_sec = 0, .tv_nsec = UTIME_OMIT};
  };
  // An entry of a folder: false if there is no more room for such.
  using Each = std::function<bool(const char* name, const struct stat& status, off_t next)>;

  static Result<Folder> open(const std::string& path, bool read_only);

  // Names are C strings of one component (check_fuse_name).
  ForGuest<Found> look_up(std::uint64_t parent, const char* name);
  void forget(std::uint64_t inode, std::uint64_t lookups) { inodes_.forget(inode, lookups); }
  void forget_all();

  ForGuest<struct stat> status(std::uint64_t inode) const;
  ForGuest<struct stat> change(std::uint64_t inode, const Changes& changes,
                               std::optional<std::uint64_t> handle);
  ForGuest<std::string> read_link(std::uint64_t inode) const;
  ForGuest<struct statvfs> file_system() const;

  ForGuest<Found> make_folder(std::uint64_t parent, const char* name, mode_t mode, FileOwner owner);
  // A file, a FIFO or a socket.
  ForGuest<Found> make_node(std::uint64_t parent, const char* name, mode_t mode, FileOwner owner);
  ForGuest<Found> make_link(std::uint64_t parent, const char* name, const char* target,
                            FileOwner owner);
  ForGuest<Found> link(std::uint64_t inode, std::uint64_t parent, const char* name);
  ForGuest<> remove(std::uint64_t parent, const char* name, bool is_folder);
  ForGuest<> rename(std::uint64_t from, const char* old_name, std::uint64_t to,
                    const char* new_name, unsigned flags);

  // Flags are open(2)'s; those that are not of a plain file's business are left out.
  ForGuest<Created> create(std::uint64_t parent, const char* name, mode_t mode, int flags,
                           FileOwner owner);
  ForGuest<Opened> open_file(std::uint64_t inode, int flags);
  ForGuest<Opened> open_folder(std::uint64_t inode);
  void close(std::uint64_t handle) { files_.close(handle); }

  ForGuest<std::size_t> read(std::uint64_t handle, off_t at, std::span<std::uint8_t> into) const;
  ForGuest<std::size_t> write(std::uint64_t handle, off_t at, std::span<const std::uint8_t> from);
  // The entries that follow cookie `at`; 0 is the first. `room` is how many bytes of such the
  // caller has a use for, about.
  ForGuest<> list(std::uint64_t inode, std::uint64_t handle, off_t at, std::size_t room,
                  const Each& each) const;
  ForGuest<> sync(std::uint64_t handle, bool data_only) const;
  ForGuest<> flush(std::uint64_t handle) const;
  ForGuest<> allocate(std::uint64_t handle, int mode, off_t at, off_t length);
  ForGuest<off_t> seek(std::uint64_t handle, off_t at, int whence) const;

  std::size_t known_inodes() const { return inodes_.size(); }
  std::size_t open_files() const { return files_.size(); }

 private:
  Folder(Fd root, const struct stat& status, Fd own_fds, bool read_only);

  ForGuest<const Inode*> find(std::uint64_t inode) const;
  // One that is a folder.
  ForGuest<int> folder(std::uint64_t inode) const;
  ForGuest<int> file(std::uint64_t handle) const;
  // Whether the guest may change anything.
  ForGuest<> writable() const;
  // Whether there is room for another fd of the guest's.
  ForGuest<> room() const;
  // An fd to read or write an inode that is a plain file: nothing else is ever opened.
  ForGuest<Fd> reopen(const Inode& inode, int flags) const;
  ForGuest<> set_mode(const Inode& inode, mode_t mode) const;

  Inodes inodes_;
  OpenFiles files_;
  Fd own_fds_;  // /proc/self/fd: the way from an inode's fd to one that reads
  bool read_only_;
  std::size_t fds_max_;
};

}  // namespace vmctl
