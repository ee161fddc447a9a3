// SPDX-License-Identifier: GPL-2.0
// Makes files for somebody else: while it lives, what this thread creates belongs to him, if we may
// do that, and has just the mode that it is given. Other threads are as they were.
#pragma once

#include <sys/types.h>

namespace vmctl {

struct FileOwner {
  uid_t uid;
  gid_t gid;
};

class CreateAs {
 public:
  explicit CreateAs(FileOwner owner);
  CreateAs(const CreateAs&) = delete;
  CreateAs& operator=(const CreateAs&) = delete;
  ~CreateAs();

  // 0, or the errno why nothing may be created.
  int error() const { return error_; }

 private:
  bool other_ = false;  // than ourselves
  mode_t umask_ = 0;
  int error_ = 0;
};

}  // namespace vmctl
