// SPDX-License-Identifier: GPL-2.0
#include "base/library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <stdexcept>

namespace vmctl {

void* Library::symbol(const char* name) const {
  void* handle = handle_.load();
  if (handle == nullptr) {
    // Two at once get the same handle.
    handle = ::dlopen(soname_, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr)
      throw std::runtime_error(fmt::format("a library is missing: {}", ::dlerror()));
    handle_ = handle;
  }
  void* symbol = ::dlsym(handle, name);
  if (symbol == nullptr)
    throw std::runtime_error(fmt::format("{} is another version: {}", soname_, ::dlerror()));
  return symbol;
}

}  // namespace vmctl
