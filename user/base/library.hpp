// SPDX-License-Identifier: GPL-2.0
// Shared libraries that few runs need: opened with their first use, so that all others neither wait
// for them nor hold their pages.
#pragma once

#include <atomic>
#include <utility>

namespace vmctl {

// One that is there until the process ends. Constant-initialized, for variables of namespaces.
class Library {
 public:
  // As the dynamic linker names it: "libkmod.so.2".
  explicit constexpr Library(const char* soname) : soname_(soname) {}

  // Throws std::runtime_error with the linker's words when it, or the symbol, cannot be had. May be
  // called from any thread.
  void* symbol(const char* name) const;

 private:
  const char* soname_;
  mutable std::atomic<void*> handle_ = nullptr;
};

// A function of one. Called as the function that it stands for; the library's header has its type:
//   inline constinit const Deferred<decltype(::kmod_new)> kmod_new{kKmod, "kmod_new"};
template <class Function>
class Deferred {
 public:
  constexpr Deferred(const Library& library, const char* name) : library_(library), name_(name) {}

  template <class... Args>
  auto operator()(Args&&... args) const {
    Function* function = function_.load(std::memory_order_relaxed);
    if (function == nullptr) {
      function = reinterpret_cast<Function*>(library_.symbol(name_));
      function_.store(function, std::memory_order_relaxed);
    }
    return function(std::forward<Args>(args)...);
  }

 private:
  const Library& library_;
  const char* name_;
  mutable std::atomic<Function*> function_ = nullptr;
};

}  // namespace vmctl
