// SPDX-License-Identifier: GPL-2.0
#include "share/operations.hpp"

#include <algorithm>

#include "share/session.hpp"

namespace vmctl {
namespace {

// How long a guest may believe what it was told, in seconds: the host changes files, too.
constexpr double kBelieved = 1;

ShareSession& session_of(fuse_req_t request) {
  return *static_cast<ShareSession*>(fuse_req_userdata(request));
}
Folder& folder_of(fuse_req_t request) {
  return session_of(request).folder();
}

FileOwner owner_of(fuse_req_t request) {
  const fuse_ctx* context = fuse_req_ctx(request);
  return {.uid = context->uid, .gid = context->gid};
}

fuse_entry_param entry_of(const Folder::Found& found) {
  fuse_entry_param entry{};
  entry.ino = found.inode;
  entry.attr = found.status;
  entry.attr_timeout = kBelieved;
  entry.entry_timeout = kBelieved;
  return entry;
}

void answer(fuse_req_t request, const ForGuest<>& result) {
  fuse_reply_err(request, result ? 0 : result.error());
}
void answer(fuse_req_t request, const ForGuest<Folder::Found>& result) {
  if (!result) {
    fuse_reply_err(request, result.error());
    return;
  }
  const fuse_entry_param entry = entry_of(*result);
  fuse_reply_entry(request, &entry);
}
void answer(fuse_req_t request, const ForGuest<struct stat>& result) {
  if (result)
    fuse_reply_attr(request, &*result, kBelieved);
  else
    fuse_reply_err(request, result.error());
}
void answer(fuse_req_t request, const ForGuest<Folder::Opened>& result, fuse_file_info* file) {
  if (!result) {
    fuse_reply_err(request, result.error());
    return;
  }
  file->fh = result->handle;
  fuse_reply_open(request, file);
}

void init(void* /*session*/, fuse_conn_info* connection) {
  // Who is to take set-uid bits off at writes: the guest.
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_HANDLE_KILLPRIV);
  connection->max_write = FuseServer::kDataMax;
}

void destroy(void* session) {
  static_cast<ShareSession*>(session)->folder().forget_all();
}

void look_up(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, folder_of(request).look_up(parent, name));
}

void forget(fuse_req_t request, fuse_ino_t inode, std::uint64_t lookups) {
  folder_of(request).forget(inode, lookups);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, size_t count, fuse_forget_data* forgets) {
  for (const fuse_forget_data& each : std::span(forgets, count))
    folder_of(request).forget(each.ino, each.nlookup);
  fuse_reply_none(request);
}

void get_attributes(fuse_req_t request, fuse_ino_t inode, fuse_file_info* /*file*/) {
  answer(request, folder_of(request).status(inode));
}

void set_attributes(fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int what,
                    fuse_file_info* file) {
  const auto has = [what](int bit) { return (what & bit) != 0; };
  Folder::Changes changes;
  if (has(FUSE_SET_ATTR_MODE)) changes.mode = wanted->st_mode;
  if (has(FUSE_SET_ATTR_UID)) changes.uid = wanted->st_uid;
  if (has(FUSE_SET_ATTR_GID)) changes.gid = wanted->st_gid;
  if (has(FUSE_SET_ATTR_SIZE)) changes.size = wanted->st_size;
  if (has(FUSE_SET_ATTR_ATIME)) changes.access = wanted->st_atim;
  if (has(FUSE_SET_ATTR_MTIME)) changes.modification = wanted->st_mtim;
  if (has(FUSE_SET_ATTR_ATIME_NOW)) changes.access.tv_nsec = UTIME_NOW;
  if (has(FUSE_SET_ATTR_MTIME_NOW)) changes.modification.tv_nsec = UTIME_NOW;
  std::optional<std::uint64_t> handle;
  if (file != nullptr) handle = file->fh;
  answer(request, folder_of(request).change(inode, changes, handle));
}

void read_link(fuse_req_t request, fuse_ino_t inode) {
  const auto target = folder_of(request).read_link(inode);
  if (target)
    fuse_reply_readlink(request, target->c_str());
  else
    fuse_reply_err(request, target.error());
}

void make_node(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
  answer(request, folder_of(request).make_node(parent, name, mode, owner_of(request)));
}

void make_folder(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  answer(request, folder_of(request).make_folder(parent, name, mode, owner_of(request)));
}

void make_link(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  answer(request, folder_of(request).make_link(parent, name, target, owner_of(request)));
}

void link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent, const char* name) {
  answer(request, folder_of(request).link(inode, parent, name));
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, folder_of(request).remove(parent, name, false));
}

void remove_folder(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer(request, folder_of(request).remove(parent, name, true));
}

void rename(fuse_req_t request, fuse_ino_t from, const char* old_name, fuse_ino_t to,
            const char* new_name, unsigned flags) {
  answer(request, folder_of(request).rename(from, old_name, to, new_name, flags));
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
            fuse_file_info* file) {
  const auto created =
      folder_of(request).create(parent, name, mode, file->flags, owner_of(request));
  if (!created) {
    fuse_reply_err(request, created.error());
    return;
  }
  file->fh = created->handle;
  const fuse_entry_param entry = entry_of(created->found);
  fuse_reply_create(request, &entry, file);
}

void open_file(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  answer(request, folder_of(request).open_file(inode, file->flags), file);
}

void open_folder(fuse_req_t request, fuse_ino_t inode, fuse_file_info* file) {
  answer(request, folder_of(request).open_folder(inode), file);
}

void close_file(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file) {
  folder_of(request).close(file->fh);
  fuse_reply_err(request, 0);
}

void read_file(fuse_req_t request, fuse_ino_t /*inode*/, size_t size, off_t at,
               fuse_file_info* file) {
  const auto room = session_of(request).buffer(std::min(size, FuseServer::kDataMax));
  const auto got = folder_of(request).read(file->fh, at, room);
  if (got)
    fuse_reply_buf(request, reinterpret_cast<const char*>(room.data()), *got);
  else
    fuse_reply_err(request, got.error());
}

void write_file(fuse_req_t request, fuse_ino_t /*inode*/, const char* bytes, size_t size, off_t at,
                fuse_file_info* file) {
  const auto put =
      folder_of(request).write(file->fh, at, {reinterpret_cast<const std::uint8_t*>(bytes), size});
  if (put)
    fuse_reply_write(request, *put);
  else
    fuse_reply_err(request, put.error());
}

void list(fuse_req_t request, fuse_ino_t inode, size_t size, off_t at, fuse_file_info* file) {
  const auto room = session_of(request).buffer(std::min(size, FuseServer::kDataMax));
  char* bytes = reinterpret_cast<char*>(room.data());
  std::size_t used = 0;
  const auto listed =
      folder_of(request).list(inode, file->fh, at, room.size(),
                              [&](const char* name, const struct stat& status, off_t next) {
                                const std::size_t left = room.size() - used;
                                const std::size_t wanted = fuse_add_direntry(
                                    request, bytes + used, left, name, &status, next);
                                if (wanted > left) return false;
                                used += wanted;
                                return true;
                              });
  if (listed)
    fuse_reply_buf(request, bytes, used);
  else
    fuse_reply_err(request, listed.error());
}

void flush(fuse_req_t request, fuse_ino_t /*inode*/, fuse_file_info* file) {
  answer(request, folder_of(request).flush(file->fh));
}

void sync(fuse_req_t request, fuse_ino_t /*inode*/, int data_only, fuse_file_info* file) {
  answer(request, folder_of(request).sync(file->fh, data_only != 0));
}

void file_system(fuse_req_t request, fuse_ino_t /*inode*/) {
  const auto status = folder_of(request).file_system();
  if (status)
    fuse_reply_statfs(request, &*status);
  else
    fuse_reply_err(request, status.error());
}

void allocate(fuse_req_t request, fuse_ino_t /*inode*/, int mode, off_t at, off_t length,
              fuse_file_info* file) {
  answer(request, folder_of(request).allocate(file->fh, mode, at, length));
}

void seek(fuse_req_t request, fuse_ino_t /*inode*/, off_t at, int whence, fuse_file_info* file) {
  const auto found = folder_of(request).seek(file->fh, at, whence);
  if (found)
    fuse_reply_lseek(request, *found);
  else
    fuse_reply_err(request, found.error());
}

}  // namespace

const fuse_lowlevel_ops& share_operations() {
  static const fuse_lowlevel_ops operations = [] {
    fuse_lowlevel_ops all{};
    all.init = init;
    all.destroy = destroy;
    all.lookup = look_up;
    all.forget = forget;
    all.forget_multi = forget_multi;
    all.getattr = get_attributes;
    all.setattr = set_attributes;
    all.readlink = read_link;
    all.mknod = make_node;
    all.mkdir = make_folder;
    all.symlink = make_link;
    all.link = link;
    all.unlink = unlink;
    all.rmdir = remove_folder;
    all.rename = rename;
    all.create = create;
    all.open = open_file;
    all.opendir = open_folder;
    all.release = close_file;
    all.releasedir = close_file;
    all.read = read_file;
    all.write = write_file;
    all.readdir = list;
    all.flush = flush;
    all.fsync = sync;
    all.fsyncdir = sync;
    all.statfs = file_system;
    all.fallocate = allocate;
    all.lseek = seek;
    return all;
  }();
  return operations;
}

}  // namespace vmctl
