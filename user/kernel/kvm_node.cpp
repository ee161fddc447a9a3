// SPDX-License-Identifier: GPL-2.0
#include "kernel/kvm_node.hpp"

#include <fmt/format.h>
#include <linux/limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "base/file.hpp"
#include "base/undisturbed.hpp"

namespace vmctl {
namespace {

// misc, 232: Documentation/admin-guide/devices.txt.
constexpr unsigned kMisc = 10;
constexpr unsigned kKvmMinor = 232;
constexpr mode_t kPermissions = 07777;

using Stat = std::optional<struct stat>;

// Of the file itself, should it be a symbolic link.
Stat stat_of(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

bool is_kvm(const Stat& node) {
  return node && S_ISCHR(node->st_mode) && node->st_rdev == makedev(kMisc, kKvmMinor);
}

bool are_one(const Stat& one, const Stat& other) {
  return one && other && one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

Error failed(std::string what, const std::string& where, int error) {
  const bool refused = error == EPERM || error == EACCES;
  return {.status = refused ? Status::refused : Status::unavailable,
          .what = std::move(what),
          .where = where,
          .why = errno_text(error),
          .advice = refused ? "run it as root" : ""};
}

// The umask has no say.
Result<> set_mode(const std::string& path, uid_t uid, gid_t gid, mode_t mode) {
  if (::chown(path.c_str(), uid, gid) != 0 || ::chmod(path.c_str(), mode & kPermissions) != 0)
    return fail(failed("cannot set owner and mode", path, errno));
  return {};
}

// Whoever may open the one may open the other, by an ACL, too: acl(5).
Result<> dress(const std::string& path, const std::string& like, const struct stat& node) {
  constexpr const char* kAcl = "system.posix_acl_access";
  TRY(set_mode(path, node.st_uid, node.st_gid, node.st_mode));
  std::vector<char> acl(XATTR_SIZE_MAX);
  const ssize_t size = ::lgetxattr(like.c_str(), kAcl, acl.data(), acl.size());
  if (size < 0) {  // none: what is left over of another must not hold
    ::lremovexattr(path.c_str(), kAcl);
    return {};
  }
  if (::lsetxattr(path.c_str(), kAcl, acl.data(), static_cast<std::size_t>(size), 0) == 0)
    return {};
  return fail(failed("cannot set the ACL", path, errno));
}

Result<> hide(const std::string& path) {
  return set_mode(path, 0, 0, S_IRUSR | S_IWUSR);
}

// vmctl's node, under a name that nobody uses yet.
Result<> make_draft(const std::string& draft, const std::string& kvm, dev_t number) {
  const Stat node = stat_of(kvm);
  ::unlink(draft.c_str());
  if (!node || ::mknod(draft.c_str(), S_IFCHR | S_IRUSR | S_IWUSR, number) != 0)
    return fail(failed("cannot make a node", draft, errno));
  return dress(draft, kvm, *node);
}

// KVM's node has its first name alone again.
Result<> put_back(const KvmNodes& nodes) {
  const bool both = are_one(stat_of(nodes.real), stat_of(nodes.kvm));
  if ((both ? ::unlink(nodes.real.c_str()) : std::rename(nodes.real.c_str(), nodes.kvm.c_str())) ==
      0)
    return {};
  return fail(failed("cannot put KVM's node back", nodes.kvm, errno));
}

Result<> tell_module(const KvmNodes& nodes, const std::string& path) {
  if (write_file(nodes.parameter, path)) return {};
  return fail(failed("cannot tell the module where KVM's node is", nodes.parameter, errno));
}

// KVM's node gets its second name, and loses the first one.
Result<> swap_nodes(const KvmNodes& nodes, const std::string& draft) {
  if (::link(nodes.kvm.c_str(), nodes.real.c_str()) != 0)
    return fail(failed("cannot give KVM's node another name", nodes.real, errno));
  const std::string before = read_line(nodes.parameter);
  auto done = tell_module(nodes, nodes.real);
  if (done && ::rename(draft.c_str(), nodes.kvm.c_str()) != 0)
    done = fail(failed("cannot put vmctl's node in the place of KVM's", nodes.kvm, errno));
  if (done) done = hide(nodes.real);
  if (!done) {
    [[maybe_unused]] const auto back = put_back(nodes);
    [[maybe_unused]] const auto told = tell_module(nodes, before);
  }
  return done;
}

std::filesystem::path folder_of(const std::string& path) {
  return std::filesystem::path(path).lexically_normal().parent_path();
}

}  // namespace

KvmNodes nodes_now() {
  KvmNodes nodes;
  nodes.real = read_line(nodes.parameter);
  return nodes;
}

Result<> replace_kvm(const KvmNodes& nodes) {
  if (kvm_is_replaced(nodes)) {
    TRY(tell_module(nodes, nodes.real));
    return hide(nodes.real);
  }
  const Stat kvm = stat_of(nodes.kvm);
  if (!is_kvm(kvm))
    return fail({.status = Status::unavailable,
                 .what = "cannot replace it",
                 .where = nodes.kvm,
                 .why = "this is not KVM's node",
                 .advice = "vmctl doctor tells more"});
  const Stat own = stat_of(nodes.own);
  if (!own || !S_ISCHR(own->st_mode))
    return fail(failed("cannot find vmctl's node", nodes.own, ENODEV));
  // Where it is looked for when the module is gone.
  if (folder_of(nodes.real) != folder_of(nodes.kvm))
    return fail({.status = Status::usage,
                 .what = "KVM's node cannot go there",
                 .where = nodes.real,
                 .why = fmt::format("that is not in {}", folder_of(nodes.kvm).string())});
  const Undisturbed undisturbed;
  // Of one that broke off.
  if (are_one(kvm, stat_of(nodes.real))) TRY(put_back(nodes));
  const std::string draft = nodes.kvm + ".vmctl";
  auto done = make_draft(draft, nodes.kvm, own->st_rdev);
  if (done) done = swap_nodes(nodes, draft);
  if (!done) ::unlink(draft.c_str());
  return done;
}

bool kvm_is_replaced(const KvmNodes& nodes) {
  const Stat own = stat_of(nodes.own);
  const Stat kvm = stat_of(nodes.kvm);
  return own && kvm && S_ISCHR(kvm->st_mode) && own->st_rdev == kvm->st_rdev &&
         is_kvm(stat_of(nodes.real));
}

Result<> restore_kvm(const KvmNodes& nodes) {
  const Stat real = stat_of(nodes.real);
  const Stat stand_in = stat_of(nodes.kvm);
  if (!is_kvm(real)) return fail(failed("KVM's node is not there", nodes.real, ENOENT));
  const Undisturbed undisturbed;
  ::unlink((nodes.kvm + ".vmctl").c_str());  // of a replacement that broke off
  // What else somebody put there says nothing of who may open KVM.
  if (stand_in && S_ISCHR(stand_in->st_mode) && !are_one(real, stand_in))
    TRY(dress(nodes.real, nodes.kvm, *stand_in));
  return put_back(nodes);
}

std::optional<KvmNodes> left_replaced(KvmNodes nodes) {
  const Stat kvm = stat_of(nodes.kvm);
  std::error_code ignored;
  const auto folder = std::filesystem::path(nodes.kvm).parent_path();
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string path = entry.path();
    const Stat found = stat_of(path);
    if (path == nodes.kvm || !is_kvm(found)) continue;
    // A second node that somebody made is none of ours.
    if (is_kvm(kvm) && !are_one(kvm, found)) continue;
    nodes.real = path;
    return nodes;
  }
  return std::nullopt;
}

}  // namespace vmctl
