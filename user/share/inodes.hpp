// SPDX-License-Identifier: GPL-2.0
// What a guest knows of a shared folder: inodes and open files, each by a number, behind each an fd
// of ours. A guest's number that is none of these is nothing.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/fd.hpp"

namespace vmctl {

struct Inode {
  Fd fd;  // O_PATH: the inode itself, whatever becomes of its names
  mode_t type = 0;
  std::uint64_t lookups = 0;
  std::pair<dev_t, ino_t> key;
};

class Inodes {
 public:
  static constexpr std::uint64_t kRoot = 1;  // FUSE_ROOT_ID

  Inodes(Fd root, const struct stat& status);

  const Inode* find(std::uint64_t id) const;
  // One lookup more of this inode, which may be known; its number.
  std::uint64_t add(Fd fd, const struct stat& status);
  // So many lookups less; the root stays, others go when there are none.
  void forget(std::uint64_t id, std::uint64_t lookups);
  // All but the root.
  void clear();
  std::size_t size() const { return inodes_.size(); }

 private:
  std::unordered_map<std::uint64_t, Inode> inodes_;
  std::map<std::pair<dev_t, ino_t>, std::uint64_t> ids_;
  std::uint64_t next_ = kRoot + 1;
};

struct OpenFile {
  Fd fd;
  bool folder = false;
};

class OpenFiles {
 public:
  const OpenFile* find(std::uint64_t handle) const;
  std::uint64_t add(OpenFile file);
  void close(std::uint64_t handle) { files_.erase(handle); }
  void clear() { files_.clear(); }
  std::size_t size() const { return files_.size(); }

 private:
  std::unordered_map<std::uint64_t, OpenFile> files_;
  std::uint64_t next_ = 1;
};

}  // namespace vmctl
