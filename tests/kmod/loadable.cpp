// SPDX-License-Identifier: GPL-2.0-only
#include "loadable.hpp"

#include <fcntl.h>
#include <sys/syscall.h>

#include <cstdio>
#include <cstdlib>

namespace t {
namespace {

std::string installed_file(const std::string& name) {
  std::string path;
  if (FILE* out = ::popen(("modinfo -n " + name + " 2>/dev/null").c_str(), "r")) {
    char line[4096];
    if (::fgets(line, sizeof line, out) != nullptr) path = line;
    ::pclose(out);
  }
  return path.substr(0, path.find('\n'));
}

}  // namespace

Loadable::Loadable(const char* name, const char* variable) : name_(name) {
  const char* set = std::getenv(variable);
  file_ = set != nullptr ? set : installed_file(name_);
}

bool Loadable::found() const {
  return ::access(file_.c_str(), R_OK) == 0;
}

bool Loadable::loaded() const {
  return ::access(("/sys/module/" + name_).c_str(), F_OK) == 0;
}

Fd Loadable::open() const {
  return Fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
}

Ret Loadable::insert(const std::string& parameters) const {
  return insert_open(open(), parameters.c_str());
}

Ret Loadable::insert_open(int file, const char* parameters) {
  return Ret::of(::syscall(SYS_finit_module, file, parameters, 0));
}

Ret Loadable::remove() const {
  return Ret::of(::syscall(SYS_delete_module, name_.c_str(), O_NONBLOCK));
}

Ret Loadable::remove_soon() const {
  Ret r = 0;
  eventually([&] { return !busy(r = remove()); });
  return r;
}

const Loadable& vmctl() {
  static const Loadable module("vmctl", "VMCTL_MODULE");
  return module;
}

}  // namespace t
