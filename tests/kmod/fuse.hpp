// SPDX-License-Identifier: GPL-2.0-only
//
// A file that does not do what it says: a file system of one file, served by a process of our own
// that fails, stops short or never answers from some offset on.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>

#include "sys.hpp"

namespace t {

// How the file is to be read; may be changed between reads.
struct Script {
  std::size_t size = 0;              // what it says of itself
  std::atomic<std::size_t> good{0};  // that much of it is there; what comes then:
  std::atomic<int> error{0};         // this errno, or the end of the file where it is 0
  std::atomic<bool> waits{false};    // or no answer, as long as this holds
  std::atomic<bool> yields{true};    // a reader that is interrupted gets EINTR instead
  std::atomic<int> waiting{0};       // reads without an answer
  std::atomic<int> interrupts{0};    // interrupted reads that the kernel told of
  std::atomic<int> reads{0};
};

class BrokenFile {
 public:
  enum class Reads { kCached, kDirect };

  // Byte n of it is that of pattern(size). valid() fails where there is no FUSE.
  explicit BrokenFile(std::size_t size, Reads reads = Reads::kDirect);
  BrokenFile(const BrokenFile&) = delete;
  BrokenFile& operator=(const BrokenFile&) = delete;
  ~BrokenFile();

  [[nodiscard]] bool valid() const { return server_ > 0; }
  [[nodiscard]] Script& script() const { return *reinterpret_cast<Script*>(shared_.data()); }
  [[nodiscard]] std::string path() const { return folder_ + "/image"; }
  [[nodiscard]] Fd open() const;
  // The server dies; reads fail from here on.
  void end_server();

 private:
  Mapping shared_;
  std::string folder_;
  pid_t server_ = -1;
};

}  // namespace t
