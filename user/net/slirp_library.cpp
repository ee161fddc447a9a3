// SPDX-License-Identifier: GPL-2.0
#include "net/slirp_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <string>

namespace vmctl {
namespace {

constexpr const char* kLibrary = "libslirp.so.0";

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

tl::unexpected<Error> missing() {
  const char* why = ::dlerror();
  return fail({.status = Status::unavailable,
               .what = fmt::format("cannot load {}", kLibrary),
               .why = why == nullptr ? "" : why,
               .advice = "install it (Debian: apt-get install libslirp0), or use --net tap"});
}

Result<SlirpLibrary> load_once() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) return missing();
  SlirpLibrary slirp{};
  if (!find(library, "slirp_new", slirp.create) || !find(library, "slirp_cleanup", slirp.destroy) ||
      !find(library, "slirp_pollfds_fill", slirp.fill) ||
      !find(library, "slirp_pollfds_poll", slirp.poll) ||
      !find(library, "slirp_input", slirp.input) ||
      !find(library, "slirp_add_hostfwd", slirp.forward))
    return missing();
  return slirp;
}

}  // namespace

Result<const SlirpLibrary*> SlirpLibrary::load() {
  static const Result<SlirpLibrary> loaded = load_once();
  if (!loaded) return fail(loaded.error());
  return &*loaded;
}

}  // namespace vmctl
