// SPDX-License-Identifier: GPL-2.0
#include "share/request.hpp"

#include <linux/fuse.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>

namespace vmctl {
namespace {

// What follows the arguments of fixed size.
enum class Tail : std::uint8_t { none, name, two_names, name_and_target, data, forgets, version };

struct Kind {
  std::uint32_t opcode;
  std::size_t arguments;
  Tail tail = Tail::none;
  bool answer = true;
};

// All that is served. Extended attributes, locks, ioctl and poll are not: a guest does without.
constexpr std::array kKinds{
    Kind{FUSE_LOOKUP, 0, Tail::name},
    Kind{FUSE_FORGET, sizeof(fuse_forget_in), Tail::none, false},
    Kind{FUSE_GETATTR, sizeof(fuse_getattr_in)},
    Kind{FUSE_SETATTR, sizeof(fuse_setattr_in)},
    Kind{FUSE_READLINK, 0},
    Kind{FUSE_SYMLINK, 0, Tail::name_and_target},
    Kind{FUSE_MKNOD, sizeof(fuse_mknod_in), Tail::name},
    Kind{FUSE_MKDIR, sizeof(fuse_mkdir_in), Tail::name},
    Kind{FUSE_UNLINK, 0, Tail::name},
    Kind{FUSE_RMDIR, 0, Tail::name},
    Kind{FUSE_RENAME, sizeof(fuse_rename_in), Tail::two_names},
    Kind{FUSE_LINK, sizeof(fuse_link_in), Tail::name},
    Kind{FUSE_OPEN, sizeof(fuse_open_in)},
    Kind{FUSE_READ, sizeof(fuse_read_in)},
    Kind{FUSE_WRITE, sizeof(fuse_write_in), Tail::data},
    Kind{FUSE_STATFS, 0},
    Kind{FUSE_RELEASE, sizeof(fuse_release_in)},
    Kind{FUSE_FSYNC, sizeof(fuse_fsync_in)},
    Kind{FUSE_FLUSH, sizeof(fuse_flush_in)},
    // Up to flags: what came later is read where a flag says that it is there.
    Kind{FUSE_INIT, offsetof(fuse_init_in, flags2), Tail::version},
    Kind{FUSE_OPENDIR, sizeof(fuse_open_in)},
    Kind{FUSE_READDIR, sizeof(fuse_read_in)},
    Kind{FUSE_RELEASEDIR, sizeof(fuse_release_in)},
    Kind{FUSE_FSYNCDIR, sizeof(fuse_fsync_in)},
    Kind{FUSE_CREATE, sizeof(fuse_create_in), Tail::name},
    Kind{FUSE_DESTROY, 0},
    Kind{FUSE_BATCH_FORGET, sizeof(fuse_batch_forget_in), Tail::forgets, false},
    Kind{FUSE_FALLOCATE, sizeof(fuse_fallocate_in)},
    Kind{FUSE_RENAME2, sizeof(fuse_rename2_in), Tail::two_names},
    Kind{FUSE_LSEEK, sizeof(fuse_lseek_in)},
};

template <class T>
T first(std::span<const std::uint8_t> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// Takes a text and its NUL off the front; false if there is none.
bool take_text(std::span<const std::uint8_t>& bytes, std::string_view& text) {
  const auto end = std::find(bytes.begin(), bytes.end(), std::uint8_t{0});
  if (end == bytes.end()) return false;
  text = {reinterpret_cast<const char*>(bytes.data()),
          static_cast<std::size_t>(end - bytes.begin())};
  bytes = bytes.subspan(text.size() + 1);
  return true;
}

int check_target(std::string_view target) {
  if (target.empty()) return ENOENT;
  return target.size() < PATH_MAX ? 0 : ENAMETOOLONG;
}

int check_names(std::span<const std::uint8_t> tail, Tail kind) {
  std::string_view name;
  if (!take_text(tail, name)) return EINVAL;
  if (const int error = check_fuse_name(name); error != 0 || kind == Tail::name) return error;
  if (!take_text(tail, name)) return EINVAL;
  return kind == Tail::two_names ? check_fuse_name(name) : check_target(name);
}

// Linux 5.4, the first with virtiofs, speaks 7.31; older ones have other structures.
int check_version(std::span<const std::uint8_t> arguments) {
  constexpr std::uint32_t kMinor = 31;
  const auto major = first<std::uint32_t>(arguments);
  const auto minor = first<std::uint32_t>(arguments.subspan(sizeof major));
  if (major < FUSE_KERNEL_VERSION || (major == FUSE_KERNEL_VERSION && minor < kMinor))
    return EPROTO;
  const auto flags = first<std::uint32_t>(arguments.subspan(offsetof(fuse_init_in, flags)));
  const bool extended = (flags & FUSE_INIT_EXT) != 0;
  return extended && arguments.size() < sizeof(fuse_init_in) ? EINVAL : 0;
}

int check_tail(const Kind& kind, std::span<const std::uint8_t> arguments) {
  const auto tail = arguments.subspan(kind.arguments);
  switch (kind.tail) {
    case Tail::none:
      return 0;
    case Tail::name:
    case Tail::two_names:
    case Tail::name_and_target:
      return check_names(tail, kind.tail);
    case Tail::data:
      return first<fuse_write_in>(arguments).size == tail.size() ? 0 : EINVAL;
    case Tail::forgets:
      return first<fuse_batch_forget_in>(arguments).count <= tail.size() / sizeof(fuse_forget_one)
                 ? 0
                 : EINVAL;
    case Tail::version:
      return check_version(arguments);
  }
  return EINVAL;
}

}  // namespace

int check_fuse_name(std::string_view name) {
  if (name.empty() || name == "." || name == ".." ||
      name.find_first_of(std::string_view("/\0", 2)) != std::string_view::npos)
    return EINVAL;
  return name.size() <= NAME_MAX ? 0 : ENAMETOOLONG;
}

FuseVerdict check_fuse_request(std::span<const std::uint8_t> request) {
  // Without a header there is nothing that an answer could be for.
  if (request.size() < sizeof(fuse_in_header)) return {.error = EINVAL, .answer = false};
  const auto header = first<fuse_in_header>(request);
  const auto* kind = std::find_if(kKinds.begin(), kKinds.end(),
                                  [&](const Kind& each) { return each.opcode == header.opcode; });
  // Requests are served one after the other: none is there to be interrupted.
  if (header.opcode == FUSE_INTERRUPT || header.opcode == FUSE_NOTIFY_REPLY)
    return {.error = ENOSYS, .answer = false};
  if (kind == kKinds.end()) return {.error = ENOSYS};
  const auto arguments = request.subspan(sizeof header);
  if (header.len != request.size() || arguments.size() < kind->arguments)
    return {.error = EINVAL, .answer = kind->answer};
  return {.error = check_tail(*kind, arguments), .answer = kind->answer};
}

}  // namespace vmctl
