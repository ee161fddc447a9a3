// SPDX-License-Identifier: GPL-2.0-only
//
// System calls as values: an owned descriptor, an owned mapping, and results
// that carry their errno.
#pragma once

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace t {

using Bytes = std::vector<std::uint8_t>;

// What a system call gave: its value, or its errno as a negative number. Prints by name.
struct Ret {
  long value;

  // NOLINTNEXTLINE(google-explicit-constructor): so that tests read `== -EINVAL`.
  constexpr Ret(long v) : value(v) {}
  static Ret of(long v) { return {v < 0 ? -static_cast<long>(errno) : v}; }
  [[nodiscard]] bool ok() const { return value >= 0; }
  friend bool operator==(Ret a, Ret b) { return a.value == b.value; }
  friend std::ostream& operator<<(std::ostream& out, Ret r);
};

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  explicit Fd(Ret r) : fd_(r.ok() ? static_cast<int>(r.value) : -1) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  // NOLINTNEXTLINE(google-explicit-constructor): handed to system calls as it is.
  operator int() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

class Mapping {
 public:
  Mapping() = default;
  // Fails to an invalid mapping; errno tells why.
  Mapping(std::size_t size, int prot, int flags, int fd = -1, off_t offset = 0);
  static Mapping memory(std::size_t size);
  Mapping(Mapping&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Mapping& operator=(Mapping&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { unmap(); }

  [[nodiscard]] bool valid() const { return data_ != nullptr; }
  [[nodiscard]] std::uint8_t* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t address() const { return reinterpret_cast<std::uintptr_t>(data_); }
  [[nodiscard]] std::span<std::uint8_t> bytes() const { return {data_, size_}; }
  // What cannot be unmapped, for want of memory, is still owned.
  bool unmap();

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

// An ioctl with a pointer, a number or nothing.
template <class T>
Ret ctl(int fd, unsigned long command, T argument) {
  unsigned long word = 0;
  if constexpr (std::is_pointer_v<T>) {
    word = reinterpret_cast<std::uintptr_t>(argument);
  } else {
    word = static_cast<unsigned long>(argument);
  }
  return Ret::of(::ioctl(fd, command, word));
}
inline Ret ctl(int fd, unsigned long command) {
  return ctl(fd, command, 0UL);
}

inline std::uint64_t address_of(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

// Every byte 0xcc: what a call does not write stays visible.
template <class T>
T poisoned() {
  T value;
  std::memset(&value, 0xcc, sizeof value);
  return value;
}

// A structure with a list behind it.
template <class Head, class Entry, std::size_t N>
struct List {
  alignas(8) std::uint8_t room[sizeof(Head) + N * sizeof(Entry)];

  Head* operator->() { return reinterpret_cast<Head*>(room); }
  Entry& operator[](std::size_t i) { return reinterpret_cast<Entry*>(room + sizeof(Head))[i]; }
};

std::size_t page_size();

std::string link_of(const std::string& path);  // readlink, or "" where there is none
std::string link_of(int fd);                   // of one of our own descriptors
std::vector<int> open_fds();                   // of this process, sorted
std::string slurp(const std::string& path);    // the whole file, or "" where it cannot be read
bool spit(const std::string& path, const std::string& text);
std::vector<std::string> lines_of(const std::string& text);
std::vector<std::string> entries_of(const std::string& folder);  // without . and ..

// Calls until it holds or the time is over; what it said last.
bool eventually(const std::function<bool()>& holds,
                std::chrono::milliseconds limit = std::chrono::seconds(20));

// Runs the function in a forked child that is killed after `seconds`. Returns
// what the function returned ("" by custom for all well), or how the child died.
std::string in_child(const std::function<std::string()>& run, unsigned seconds = 30);

// What functions for in_child() say when all went well.
inline const std::string kDone;

// This process is one of a user without groups from then on.
std::string become(uid_t uid);

void pass_fd(int socket, int fd);
Fd receive_fd(int socket);

}  // namespace t

// Inside functions that return a std::string: leave with the reason unless it holds.
#define NEED(condition)                                             \
  do {                                                              \
    if (!(condition)) {                                             \
      return std::string(__FILE__ ":") + std::to_string(__LINE__) + \
             ": " #condition " does not hold";                      \
    }                                                               \
  } while (0)
#define NEED_EQ(actual, expected)                                                         \
  do {                                                                                    \
    if (const auto& seen = (actual); !(seen == (expected))) {                             \
      return std::string(__FILE__ ":") + std::to_string(__LINE__) + ": " #actual " is " + \
             ::testing::PrintToString(seen) + ", expected " #expected;                    \
    }                                                                                     \
  } while (0)
