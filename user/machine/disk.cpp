// SPDX-License-Identifier: GPL-2.0
#include "machine/disk.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/bytes.hpp"
#include "dev/virtio/block.hpp"

namespace vmctl {
namespace {

class DiskPort final : public VirtioPort {
 public:
  explicit DiskPort(VirtioBlock::Disk disk) : block_(std::move(disk)) {}
  VirtioDevice& device() override { return block_; }

 private:
  VirtioBlock block_;
};

Failure cannot(const DiskSpec& spec, Status status, std::string why, std::string advice = "") {
  return fail({.status = status,
               .what = fmt::format("cannot use the disk {}", escaped(spec.path)),
               .why = std::move(why),
               .advice = std::move(advice)});
}

Result<std::uint64_t> size_of(const DiskSpec& spec, const Fd& fd) {
  struct stat status {};
  std::uint64_t size = 0;
  if (::fstat(fd.get(), &status) != 0) return cannot(spec, Status::no_input, errno_text(errno));
  if (S_ISREG(status.st_mode))
    size = static_cast<std::uint64_t>(status.st_size);
  else if (!S_ISBLK(status.st_mode))
    return cannot(spec, Status::usage, "neither a file nor a block device");
  else if (::ioctl(fd.get(), BLKGETSIZE64, &size) != 0)
    return cannot(spec, Status::no_input, errno_text(errno));
  if (size == 0 || size % VirtioBlock::kSector != 0)
    return cannot(spec, Status::usage,
                  fmt::format("its size is {} bytes, allowed: a multiple of {}, more than 0", size,
                              VirtioBlock::kSector),
                  S_ISREG(status.st_mode) ? "truncate -s %512 makes it one" : "");
  return size;
}

}  // namespace

Result<DiskSpec> parse_disk(std::string_view text) {
  constexpr std::string_view kReadOnly = ",ro";
  DiskSpec spec;
  spec.read_only = text.ends_with(kReadOnly);
  if (spec.read_only) text.remove_suffix(kReadOnly.size());
  if (text.empty())
    return fail({.status = Status::usage, .what = "''", .why = "no file (FILE or FILE,ro)"});
  spec.path = text;
  return spec;
}

Result<std::unique_ptr<VirtioPort>> open_disk(const DiskSpec& spec, std::size_t number) {
  // O_NONBLOCK for a FIFO, which is none, and nothing to the others.
  Fd fd(::open(spec.path.c_str(),
               (spec.read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd.valid()) {
    const int error = errno;
    const bool refused = error == EACCES || error == EPERM || error == EROFS;
    return cannot(spec, refused ? Status::refused : Status::no_input, errno_text(error),
                  refused && !spec.read_only ? "FILE,ro only reads it" : "");
  }
  VirtioBlock::Disk disk{
      .fd = std::move(fd), .read_only = spec.read_only, .id = fmt::format("vmctl-disk{}", number)};
  disk.size = TRY(size_of(spec, disk.fd));
  if (::flock(disk.fd.get(), (spec.read_only ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0)
    return cannot(
        spec, Status::usage, errno == EWOULDBLOCK ? "another has it locked" : errno_text(errno),
        "two guests would destroy each other's file systems; both may have it as FILE,ro");
  return std::unique_ptr<VirtioPort>(std::make_unique<DiskPort>(std::move(disk)));
}

}  // namespace vmctl
