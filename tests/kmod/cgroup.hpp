// SPDX-License-Identifier: GPL-2.0-only
//
// A cgroup (version 2) with a limit to its memory.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "sys.hpp"

namespace t {

// One that may have so many bytes. Gone at the end, when nobody is in it any more.
class MemoryGroup {
 public:
  explicit MemoryGroup(std::size_t limit) {
    spit(kRoot + "/cgroup.subtree_control", "+memory");
    made_ = ::mkdir(path_.c_str(), 0755) == 0;
    valid_ = made_ && spit(path_ + "/memory.max", std::to_string(limit));
    if (valid_) spit(path_ + "/memory.swap.max", "0");
  }
  MemoryGroup(const MemoryGroup&) = delete;
  MemoryGroup& operator=(const MemoryGroup&) = delete;
  ~MemoryGroup() {
    if (made_) {
      EXPECT_TRUE(eventually([&] { return ::rmdir(path_.c_str()) == 0; }));
    }
  }
  [[nodiscard]] bool valid() const { return valid_; }
  [[nodiscard]] bool enter() const {
    return spit(path_ + "/cgroup.procs", std::to_string(::getpid()));
  }
  void kill_all_at_once() const { EXPECT_TRUE(spit(path_ + "/memory.oom.group", "1")); }
  [[nodiscard]] long kills() const { return event("oom_kill"); }
  [[nodiscard]] long current() const { return std::atol(slurp(path_ + "/memory.current").c_str()); }

 private:
  [[nodiscard]] long event(const std::string& name) const {
    for (const std::string& line : lines_of(slurp(path_ + "/memory.events"))) {
      if (line.starts_with(name + " ")) return std::atol(line.c_str() + name.size());
    }
    return -1;
  }
  const std::string kRoot = "/sys/fs/cgroup";
  std::string path_ = kRoot + "/vmctl-memory";
  bool made_ = false;
  bool valid_ = false;
};

}  // namespace t
