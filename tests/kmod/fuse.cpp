// SPDX-License-Identifier: GPL-2.0-only
#include "fuse.hpp"

#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>

#include "image.hpp"

namespace t {
namespace {

constexpr std::uint64_t kFile = 2;

struct Read {
  std::uint64_t unique;
  std::size_t offset;
  std::size_t size;
};

// Answers the kernel's requests, one at a time, until it is killed or unmounted.
class Server {
 public:
  Server(int fd, Script& script, bool direct)
      : fd_(fd), script_(script), direct_(direct), bytes_(pattern(script.size)) {}

  [[noreturn]] void serve() {
    for (;;) {
      if (!script_.waits) answer_waiting();
      pollfd one{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&one, 1, waiting_.empty() ? -1 : 5) > 0 && !take()) ::_exit(0);
    }
  }

 private:
  bool take() {
    const ssize_t got = ::read(fd_, request_.data(), request_.size());
    if (got < 0) return errno == EINTR || errno == EAGAIN || errno == ENOENT;
    head_ = reinterpret_cast<const fuse_in_header*>(request_.data());
    act();
    return true;
  }
  template <class T>
  const T& argument() const {
    return *reinterpret_cast<const T*>(request_.data() + sizeof(fuse_in_header));
  }

  void send(std::uint64_t unique, int error, const void* data = nullptr, std::size_t size = 0) {
    fuse_out_header head{
        .len = static_cast<std::uint32_t>(sizeof head + size), .error = -error, .unique = unique};
    const std::array<iovec, 2> parts = {
        iovec{.iov_base = &head, .iov_len = sizeof head},
        iovec{.iov_base = const_cast<void*>(data), .iov_len = size},
    };
    // The kernel may have given the request up.
    if (::writev(fd_, parts.data(), size != 0 ? 2 : 1) < 0) return;
  }
  template <class T>
  void reply(const T& value) {
    send(head_->unique, 0, &value, sizeof value);
  }

  [[nodiscard]] fuse_attr attributes(std::uint64_t node) const {
    fuse_attr attr{};
    attr.ino = node;
    attr.nlink = 1;
    attr.mode = node == kFile ? S_IFREG | 0444 : S_IFDIR | 0555;
    attr.size = node == kFile ? script_.size : 0;
    attr.blksize = 4096;
    return attr;
  }

  void act() {
    switch (head_->opcode) {
      case FUSE_INIT: {
        fuse_init_out out{};
        out.major = FUSE_KERNEL_VERSION;
        out.minor = std::min<std::uint32_t>(argument<fuse_init_in>().minor, 31);
        out.max_readahead = argument<fuse_init_in>().max_readahead;
        out.max_write = 0x10000;
        out.time_gran = 1;
        out.flags = FUSE_ASYNC_READ;
        reply(out);
        break;
      }
      case FUSE_LOOKUP: {
        fuse_entry_out out{};
        out.nodeid = kFile;
        out.attr = attributes(kFile);
        reply(out);
        break;
      }
      case FUSE_GETATTR: {
        fuse_attr_out out{};
        out.attr = attributes(head_->nodeid);
        reply(out);
        break;
      }
      case FUSE_OPEN: {
        fuse_open_out out{};
        out.open_flags = direct_ ? FOPEN_DIRECT_IO : 0;
        reply(out);
        break;
      }
      case FUSE_READ:
        ++script_.reads;
        read({.unique = head_->unique,
              .offset = argument<fuse_read_in>().offset,
              .size = argument<fuse_read_in>().size});
        break;
      case FUSE_INTERRUPT:
        ++script_.interrupts;
        if (script_.yields) give_up(argument<fuse_interrupt_in>().unique);
        break;
      case FUSE_RELEASE:
      case FUSE_FLUSH:
      case FUSE_ACCESS:
        send(head_->unique, 0);
        break;
      case FUSE_FORGET:
      case FUSE_BATCH_FORGET:
        break;
      default:
        send(head_->unique, ENOSYS);
    }
  }

  void read(const Read& read) {
    const std::size_t end = std::min(read.offset + read.size, script_.size);
    const std::size_t good = script_.good;
    if (end > good && script_.waits) {
      waiting_.push_back(read);
      ++script_.waiting;
    } else if (end > good && script_.error != 0 && (read.offset >= good || !direct_)) {
      // A short answer would be the end of the file to the page cache, which asks again for less.
      send(read.unique, script_.error);
    } else {
      const std::size_t there = std::min(end, good);
      send(read.unique, 0, bytes_.data() + read.offset,
           there > read.offset ? there - read.offset : 0);
    }
  }

  void answer_waiting() {
    for (const Read& one : std::exchange(waiting_, {})) {
      --script_.waiting;
      read(one);
    }
  }

  void give_up(std::uint64_t unique) {
    if (std::erase_if(waiting_, [&](const Read& one) { return one.unique == unique; }) == 0) return;
    --script_.waiting;
    send(unique, EINTR);
  }

  int fd_;
  Script& script_;
  bool direct_;
  Bytes bytes_;
  alignas(8) std::array<std::uint8_t, FUSE_MIN_READ_BUFFER + 0x10000> request_{};
  const fuse_in_header* head_ = nullptr;
  std::vector<Read> waiting_;
};

bool mount_at(const std::string& folder, int fd) {
  const std::string options =
      "fd=" + std::to_string(fd) + ",rootmode=40000,user_id=0,group_id=0,allow_other";
  return ::mount("vmctl-tests", folder.c_str(), "fuse", MS_NOSUID | MS_NODEV, options.c_str()) == 0;
}

Fd open_fuse() {
  Fd fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd.valid() && std::system("modprobe -q fuse") == 0) {
    fd = Fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  }
  return fd;
}

}  // namespace

BrokenFile::BrokenFile(std::size_t size, Reads reads)
    : shared_(sizeof(Script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS),
      folder_("/run/vmctl-broken-XXXXXX") {
  new (shared_.data()) Script{};
  script().size = size;
  script().good = size;
  const Fd fd = open_fuse();
  if (::mkdtemp(folder_.data()) == nullptr) return;
  if (!fd.valid() || !mount_at(folder_, fd)) return;
  std::fflush(nullptr);
  server_ = ::fork();
  if (server_ == 0) {
    // Nothing of what the test has open is to live on here.
    ::close_range(3, static_cast<unsigned>(fd) - 1, 0);
    ::close_range(static_cast<unsigned>(fd) + 1, ~0U, 0);
    Server(fd, script(), reads == Reads::kDirect).serve();
  }
}

BrokenFile::~BrokenFile() {
  end_server();
  ::umount2(folder_.c_str(), MNT_DETACH);
  ::rmdir(folder_.c_str());
}

Fd BrokenFile::open() const {
  return Fd(::open(path().c_str(), O_RDONLY | O_CLOEXEC));
}

void BrokenFile::end_server() {
  if (server_ <= 0) return;
  ::kill(server_, SIGKILL);
  ::waitpid(server_, nullptr, 0);
  server_ = -1;
}

}  // namespace t
