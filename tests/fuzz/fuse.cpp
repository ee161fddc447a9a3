// SPDX-License-Identifier: GPL-2.0
// FUSE requests of a hostile guest to a shared folder: any opcode, lengths, names, inodes, handles.
// The byte after a request cannot be read.
#include <linux/fuse.h>
#include <sys/mman.h>

#include <cstring>

#include "share/session.hpp"
#include "shared_folder.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

// Ends where a page ends that is followed by none.
class Request {
 public:
  Request() {
    void* pages =
        ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(
        pages != MAP_FAILED && ::mprotect(static_cast<char*>(pages) + kPage, kPage, PROT_NONE) == 0,
        "there are pages");
    page_ = {static_cast<std::uint8_t*>(pages), kPage};
  }
  // At a multiple of 8, so that some bytes may follow that are no end of a name.
  std::span<std::uint8_t> place(std::span<const std::uint8_t> bytes) const {
    std::memset(page_.data(), 'x', page_.size());
    const std::size_t at = (kPage - bytes.size()) / 8 * 8;
    std::copy(bytes.begin(), bytes.end(), page_.begin() + static_cast<std::ptrdiff_t>(at));
    return page_.subspan(at, bytes.size());
  }

 private:
  static constexpr std::size_t kPage = 4096;
  std::span<std::uint8_t> page_;
};

class Guest {
 public:
  explicit Guest(bool read_only)
      : session_(std::move(*ShareSession::open(folder_.share().string(), read_only))) {
    fuse_init_in init{.major = 7, .minor = 38, .flags = FUSE_INIT_EXT | FUSE_MAX_PAGES};
    ask(header(FUSE_INIT, 0), {reinterpret_cast<std::uint8_t*>(&init), sizeof init}, 1000, true);
    for (const char* name : {"file", "folder", "link", "up"})
      ask(header(FUSE_LOOKUP, 1),
          {reinterpret_cast<const std::uint8_t*>(name), std::strlen(name) + 1}, 1000, true);
    fuse_open_in open{};
    open.flags = 2;
    const std::span<const std::uint8_t> arguments{reinterpret_cast<std::uint8_t*>(&open),
                                                  sizeof open};
    ask(header(FUSE_OPEN, 2), arguments, 1000, true);
    ask(header(FUSE_OPENDIR, 1), arguments, 1000, true);
  }
  ~Guest() {
    session_.reset();
    folder_.check();
  }

  static fuse_in_header header(std::uint32_t opcode, std::uint64_t node) {
    fuse_in_header in{};
    in.opcode = opcode;
    in.nodeid = node;
    in.unique = 77;
    return in;
  }

  void ask(fuse_in_header in, std::span<const std::uint8_t> arguments, std::size_t room,
           bool right_length) {
    static const Request request;
    if (right_length) in.len = static_cast<std::uint32_t>(sizeof in + arguments.size());
    std::vector<std::uint8_t> bytes(sizeof in + arguments.size());
    std::memcpy(bytes.data(), &in, sizeof in);
    std::copy(arguments.begin(), arguments.end(), bytes.begin() + sizeof in);
    std::vector<std::uint8_t> answer(room);
    const std::size_t length = session_->serve(
        request.place(bytes), room, [&](std::size_t at, std::span<const std::uint8_t> part) {
          require(at <= room && part.size() <= room - at, "an answer keeps to its room");
          std::copy(part.begin(), part.end(), answer.begin() + static_cast<std::ptrdiff_t>(at));
        });
    require(length <= room, "an answer says how long it is");
    if (length == 0) return;
    fuse_out_header out{};
    require(length >= sizeof out, "an answer has a header");
    std::memcpy(&out, answer.data(), sizeof out);
    require(out.len == length && out.unique == in.unique, "it is of this request");
    require(out.error <= 0 && out.error > -1000, "an errno is one");
    const std::string text(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(length));
    require(text.find(SharedFolder::kSecret) == std::string::npos, "what is outside stays there");
  }

 private:
  SharedFolder folder_;
  std::unique_ptr<ShareSession> session_;
};

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  Guest guest(input.flag());
  while (!input.done()) {
    const auto how = input.number<std::uint8_t>();
    fuse_in_header in = Guest::header(input.number<std::uint8_t>(), input.number<std::uint8_t>());
    if ((how & 1) != 0) in.opcode = input.number<std::uint32_t>();
    if ((how & 2) != 0) in.nodeid = input.number<std::uint64_t>();
    if ((how & 4) != 0) in.len = input.number<std::uint32_t>();
    if ((how & 8) != 0) in.uid = in.gid = input.number<std::uint16_t>();
    const std::size_t room = (how & 16) != 0 ? input.number<std::uint8_t>() : 4096;
    guest.ask(in, input.bytes(input.number<std::uint8_t>()), room, (how & 4) == 0);
  }
  return 0;
}
