// SPDX-License-Identifier: GPL-2.0-only
//
// A module's file, loaded and unloaded by system calls.
#pragma once

#include <string>

#include "sys.hpp"

namespace t {

class Loadable {
 public:
  // The file is what the variable of the environment says, or else modinfo.
  Loadable(const char* name, const char* variable);

  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] bool found() const;
  [[nodiscard]] bool loaded() const;
  [[nodiscard]] Fd open() const;
  [[nodiscard]] Ret insert(const std::string& parameters = "") const;
  // The same in one system call.
  [[nodiscard]] static Ret insert_open(int file, const char* parameters);
  // At once; -EWOULDBLOCK while something holds it.
  [[nodiscard]] Ret remove() const;
  // References drop as files are released, which may lag behind close().
  [[nodiscard]] Ret remove_soon() const;
  static bool busy(Ret r) { return r == -EWOULDBLOCK || r == -EBUSY; }

 private:
  std::string name_;
  std::string file_;
};

// The driver; its file may be named by VMCTL_MODULE.
const Loadable& vmctl();

}  // namespace t
