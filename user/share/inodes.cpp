// SPDX-License-Identifier: GPL-2.0
#include "share/inodes.hpp"

#include <algorithm>

namespace vmctl {
namespace {

Inode make_inode(Fd fd, const struct stat& status) {
  return {.fd = std::move(fd),
          .type = status.st_mode & S_IFMT,
          .lookups = 1,
          .key = {status.st_dev, status.st_ino}};
}

}  // namespace

Inodes::Inodes(Fd root, const struct stat& status) {
  inodes_.emplace(kRoot, make_inode(std::move(root), status));
  ids_.emplace(std::pair(status.st_dev, status.st_ino), kRoot);
}

const Inode* Inodes::find(std::uint64_t id) const {
  const auto found = inodes_.find(id);
  return found == inodes_.end() ? nullptr : &found->second;
}

std::uint64_t Inodes::add(Fd fd, const struct stat& status) {
  // While an fd holds it, its number in its file system is no other's.
  const auto [known, added] = ids_.try_emplace({status.st_dev, status.st_ino}, next_);
  if (added)
    inodes_.emplace(next_++, make_inode(std::move(fd), status));
  else
    ++inodes_.at(known->second).lookups;
  return known->second;
}

void Inodes::forget(std::uint64_t id, std::uint64_t lookups) {
  const auto found = inodes_.find(id);
  if (found == inodes_.end() || id == kRoot) return;
  Inode& inode = found->second;
  inode.lookups -= std::min(lookups, inode.lookups);
  if (inode.lookups > 0) return;
  ids_.erase(inode.key);
  inodes_.erase(found);
}

void Inodes::clear() {
  std::erase_if(ids_, [](const auto& entry) { return entry.second != kRoot; });
  std::erase_if(inodes_, [](const auto& entry) { return entry.first != kRoot; });
}

const OpenFile* OpenFiles::find(std::uint64_t handle) const {
  const auto found = files_.find(handle);
  return found == files_.end() ? nullptr : &found->second;
}

std::uint64_t OpenFiles::add(OpenFile file) {
  files_.emplace(next_, std::move(file));
  return next_++;
}

}  // namespace vmctl
