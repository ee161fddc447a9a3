// SPDX-License-Identifier: GPL-2.0
#include "share/create_as.hpp"

#include <sched.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace vmctl {
namespace {

// The umask is one of the things that threads share, until they do not.
int own_umask() {
  thread_local bool own = false;
  if (own) return 0;
  if (::unshare(CLONE_FS) != 0) return errno;
  own = true;
  return 0;
}

// They return what was before, also where they fail (setfsuid(2)).
template <class Set, class Id>
bool set_to(Set set, Id id) {
  set(id);
  return static_cast<Id>(set(id)) == id;
}

}  // namespace

CreateAs::CreateAs(FileOwner owner) {
  error_ = own_umask();
  if (error_ != 0) return;
  umask_ = ::umask(0);
  // Who is not root makes files of his own alone.
  other_ = ::geteuid() == 0 && (owner.uid != ::geteuid() || owner.gid != ::getegid());
  if (!other_) return;
  if (!set_to(::setfsgid, owner.gid) || !set_to(::setfsuid, owner.uid)) error_ = EPERM;
}

CreateAs::~CreateAs() {
  if (other_) {
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
  }
  if (umask_ != 0) ::umask(umask_);
}

}  // namespace vmctl
