// SPDX-License-Identifier: GPL-2.0-only
//
// Races against what is checked: how often they are tried, and who interferes meanwhile.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "sys.hpp"

namespace t {

// On one CPU nobody else is there while a call is under way.
inline bool can_race() {
  return ::sysconf(_SC_NPROCESSORS_ONLN) > 1;
}
inline constexpr const char* kAlone = "one CPU: what is in a call is alone";

inline bool is_soak() {
  return std::getenv("VMCTL_SOAK") != nullptr;
}

// With VMCTL_SOAK a million, else what a slow machine has time for. Tells now and then how far it
// has come: a program that is silent for long is taken for hung.
class Tries {
 public:
  bool go_on() {
    if (done_ == all_) return false;
    if (++done_ % 1000 == 0 && Clock::now() > told_ + std::chrono::seconds(20)) {
      told_ = Clock::now();
      std::cout << done_ << " of " << all_ << " tries" << std::endl;
    }
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  long all_ = is_soak() ? 1'000'000 : 5'000;
  long done_ = 0;
  Clock::time_point told_ = Clock::now();
};

// Does something again and again in a thread of its own, as long as it lives; once before it is
// there.
class Meanwhile {
 public:
  template <class Act>
  explicit Meanwhile(Act act)
      : thread_([this, act = std::move(act)]() mutable {
          act();
          begun_ = true;
          while (!stop_) act();
        }) {
    while (!begun_) std::this_thread::yield();
  }
  Meanwhile(const Meanwhile&) = delete;
  Meanwhile& operator=(const Meanwhile&) = delete;
  ~Meanwhile() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> begun_ = false;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// Maps pages for a moment where the kernel would map one next, so where the driver's copy of an
// argument lies: each begins with an argument that should not be taken. Whoever races against it
// maps nothing else.
class Covering {
 public:
  explicit Covering(const std::vector<Bytes>& arguments)
      : file_(::memfd_create("covering", MFD_CLOEXEC)), pages_(arguments.size()) {
    for (std::size_t i = 0; i < pages_; ++i) {
      EXPECT_EQ(::pwrite(file_, arguments[i].data(), arguments[i].size(), offset(i)),
                static_cast<ssize_t>(arguments[i].size()));
    }
    EXPECT_EQ(::ftruncate(file_, offset(pages_)), 0);
    // Until the thread has its stack, which else might lie there.
    const Mapping hole = Mapping::memory(page_size());
    place_ = hole.data();
    thread_.emplace([this] { cover(); });
  }

 private:
  static off_t offset(std::size_t page) { return static_cast<off_t>(page * page_size()); }
  // At moments that have nothing to do with the other's, and not always: each hit costs a VM.
  void cover() {
    void* over = ::mmap(place_, page_size(), PROT_READ, MAP_SHARED | MAP_FIXED, file_,
                        offset(random_() % pages_));
    if (over != MAP_FAILED) ::munmap(over, page_size());
    std::this_thread::sleep_for(
        std::chrono::microseconds(random_() % (is_soak() ? 50'000 : 20'000)));
  }

  Fd file_;
  std::size_t pages_;
  std::minstd_rand random_;
  void* place_ = nullptr;
  std::optional<Meanwhile> thread_;
};

// What a command answers when it came while the copy was being unmapped: the kernel takes the pages
// away before it tells whose they were. KVM has read nothing then.
inline constexpr int kUnread = -EFAULT;

// An argument as bytes.
template <class T>
Bytes bytes_of(const T& argument) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(&argument);
  return {first, first + sizeof argument};
}

}  // namespace t
