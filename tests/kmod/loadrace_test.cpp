// SPDX-License-Identifier: GPL-2.0-only
//
// VMCTL_LOAD_IMAGE while everything under it moves: the file, the slots, the
// memory, the VM itself. It may fail, with an errno of the header; it may not
// keep a digest of what it did not load, nor hold anyone up.
#include <fcntl.h>
#include <sys/time.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "bystander.hpp"
#include "call.hpp"
#include "caught_signals.hpp"
#include "image.hpp"
#include "late_pages.hpp"
#include "race.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

class LoadRace : public Own {};

template <class Step>
int for_a_second(Step step) {
  int turns = 0;
  for (const auto end = std::chrono::steady_clock::now() + 1s;
       std::chrono::steady_clock::now() < end; ++turns) {
    step();
  }
  return turns;
}

TEST_F(LoadRace, TheFileIsTruncated) {
  constexpr std::size_t kSize = std::size_t{64} * 4096;
  const BareVm it;
  const Mapping memory = Mapping::memory(kSize);
  ASSERT_EQ(set_slot(it.vm, 0, 0, kSize, memory.address()), 0);
  const Fd file = file_of(pattern(kSize));
  int done = 0;
  int failed = 0;
  std::string kept = "-";
  {
    const Meanwhile truncate([&] {
      ::ftruncate(file, kSize / 3) == 0 && ::ftruncate(file, kSize) == 0 ? void() : std::abort();
    });
    for_a_second([&] {
      vmctl_load_image result{};
      const Ret r = load(it.vm, file, 0, kSize, 0, &result);
      if (r.ok()) {
        ++done;
        kept = digest_text(result);
        ASSERT_EQ(kept, digest_text(memory.bytes())) << "what was measured is what was loaded";
      } else {
        ++failed;
        ASSERT_TRUE(r == -ENODATA || r == -EIO) << r;
        ASSERT_EQ(std::count(result.sha256, result.sha256 + 32, 0xcc), 32);
      }
      ASSERT_EQ(it.digest(), kept);
    });
  }
  EXPECT_GT(done + failed, 10);
  EXPECT_GT(failed, 0) << "or nothing was tried";
  std::cout << done << " loads done, " << failed << " cut short\n";
}

TEST_F(LoadRace, TheSlotGoesAndComes) {
  constexpr std::size_t kSize = std::size_t{64} * 4096;
  const BareVm it;
  const Mapping memory = Mapping::memory(2 * kSize);
  const Fd file = file_of(pattern(kSize));
  ASSERT_EQ(set_slot(it.vm, 0, 0, kSize, memory.address()), 0);
  int done = 0;
  int failed = 0;
  {
    const Meanwhile change([&] {
      (void)set_slot(it.vm, 0, 0, 0, 0);
      (void)set_slot(it.vm, 0, 0, kSize, memory.address() + (done % 2) * kSize);
    });
    for_a_second([&] {
      const Ret r = load(it.vm, file, 0, kSize, 0);
      ++(r.ok() ? done : failed);
      ASSERT_TRUE(r.ok() || r == -EFAULT) << r;
    });
  }
  EXPECT_GT(done + failed, 10);
  std::cout << done << " loads done, " << failed << " without their slot\n";
}

// Other memory, empty, at the same place.
void map_anew(const Mapping& memory, int protection) {
  if (::mmap(memory.data(), memory.size(), protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == MAP_FAILED) {
    std::abort();
  }
}

TEST_F(LoadRace, TheMemoryGoesAndComes) {
  constexpr std::size_t kSize = std::size_t{64} * 4096;
  const BareVm it;
  const Mapping memory = Mapping::memory(kSize);
  const Fd file = file_of(pattern(kSize));
  ASSERT_EQ(set_slot(it.vm, 0, 0, kSize, memory.address()), 0);
  int done = 0;
  int failed = 0;
  {
    const Meanwhile change([&] {
      map_anew(memory, PROT_NONE);
      std::this_thread::sleep_for(100us);
      map_anew(memory, PROT_READ | PROT_WRITE);
      std::this_thread::sleep_for(3ms);
    });
    for_a_second([&] {
      const Ret r = load(it.vm, file, 0, kSize, 0);
      ++(r.ok() ? done : failed);
      ASSERT_TRUE(r.ok() || r == -EFAULT) << r;
    });
  }
  EXPECT_GT(done + failed, 10);
  std::cout << done << " loads done, " << failed << " without their memory\n";
}

// The image and the guest's memory are the same pages: each page is read onto itself.
TEST_F(LoadRace, TheImageIsTheMemory) {
  constexpr std::size_t kSize = 0x8000;
  const BareVm it;
  const Bytes image = pattern(kSize);
  const Fd file = file_of(image);
  const Mapping memory(kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file);
  ASSERT_EQ(set_slot(it.vm, 0, 0, kSize, memory.address()), 0);
  vmctl_load_image result{};
  ASSERT_EQ(load(it.vm, file, 0, kSize, 0, &result), 0);
  EXPECT_EQ(digest_text(result), digest_text(image));
  EXPECT_TRUE(std::equal(image.begin(), image.end(), memory.data()));
  EXPECT_EQ(load(it.vm, file, 0, kSize - 1, 1), 0) << "onto its own next byte";
}

TEST_F(LoadRace, TwoThreadsLoadAtOnce) {
  constexpr std::size_t kSize = std::size_t{32} * 4096;
  const BareVm it;
  const Mapping memory = Mapping::memory(2 * kSize);
  ASSERT_EQ(set_slot(it.vm, 0, 0, 2 * kSize, memory.address()), 0);
  std::vector<std::string> digests;
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (std::uint32_t half = 0; half < 2; ++half) {
    digests.push_back(digest_text(pattern(kSize, half + 7)));
    threads.emplace_back([&, half, expected = digests.back()] {
      const Fd file = file_of(pattern(kSize, half + 7));
      for (int i = 0; i < 30; ++i) {
        vmctl_load_image result{};
        if (!load(it.vm, file, 0, kSize, half * kSize, &result).ok() ||
            digest_text(result) != expected) {
          ++wrong;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  for (std::uint32_t half = 0; half < 2; ++half) {
    const Bytes image = pattern(kSize, half + 7);
    EXPECT_TRUE(std::equal(image.begin(), image.end(), memory.data() + half * kSize));
  }
  EXPECT_TRUE(std::find(digests.begin(), digests.end(), it.digest()) != digests.end());
}

TEST_F(LoadRace, ASignalEndsALongLoad) {
  constexpr std::size_t kSize = 512 << 20;  // seconds of work in the test VM
  const BareVm it;
  const Mapping memory = Mapping::memory(kSize);
  const Mapping small = Mapping::memory(0x1000);
  ASSERT_EQ(set_slot(it.vm, 0, 0, kSize, memory.address()), 0);
  const Fd file(::memfd_create("huge", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file, kSize), 0);
  ASSERT_EQ(load(it.vm, file, 0, 16, 0), 0);
  const std::string before = it.digest();

  const CaughtSignals alarms({SIGALRM});
  const itimerval soon{.it_interval = {0, 50000}, .it_value = {0, 50000}};
  const auto start = std::chrono::steady_clock::now();
  ::setitimer(ITIMER_REAL, &soon, nullptr);
  const Ret r = load(it.vm, file, 0, kSize, 0);
  const auto took = std::chrono::steady_clock::now() - start;
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  EXPECT_EQ(r, -EINTR);
  EXPECT_LT(took, 10s);
  EXPECT_EQ(it.digest(), before);
}

// A page that nobody brings: the load waits for it, and nothing else may wait for the load.
TEST_F(LoadRace, AWaitingLoadHoldsNobodyUp) {
  const LatePages late;
  if (!late.valid()) GTEST_SKIP() << "no userfaultfd";
  const BareVm it;
  const BareVm other;
  const Mapping memory = Mapping::memory(0x4000);
  ASSERT_EQ(set_slot(it.vm, 0, 0, 0x4000, memory.address()), 0);
  const std::uintptr_t middle = memory.address() + 0x2000;
  ASSERT_TRUE(late.delay(middle, 0x1000));

  const Fd file = file_of(pattern(0x4000));
  const Call loader([&] { return load(it.vm, file, 0, 0x4000, 0); });
  EXPECT_TRUE(late.are_waited_for()) << "the load has met the page";

  const Bystander others(it, other);
  EXPECT_TRUE(others.is_done()) << "held up after step " << others.step();
  EXPECT_FALSE(loader.back());
  late.bring(middle, 0x1000);
  EXPECT_TRUE(loader.comes_back());
  EXPECT_EQ(loader.result(), -ENODEV);
  EXPECT_EQ(it.digest(), "-");
}

TEST_F(LoadRace, RevocationEndsALongLoad) {
  constexpr std::size_t kSize = 512 << 20;
  const BareVm it;
  const Mapping memory = Mapping::memory(kSize);
  ASSERT_EQ(set_slot(it.vm, 0, 0, kSize, memory.address()), 0);
  const Fd file(::memfd_create("huge", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(file, kSize), 0);
  std::thread other([&] {
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(revoke(it.system, it.id), 0);
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(load(it.vm, file, 0, kSize, 0), -ENODEV);
  EXPECT_LT(std::chrono::steady_clock::now() - start, 10s);
  other.join();
  EXPECT_EQ(it.digest(), "-");
}

// The same, and the process is killed: nothing of it stays.
TEST_F(LoadRace, AWaitingLoadCanBeKilled) {
  const std::string said = in_child(
      [] {
        const LatePages late;
        if (!late.valid()) return std::string("skip");
        const BareVm it;
        const Mapping memory = Mapping::memory(0x4000);
        (void)set_slot(it.vm, 0, 0, 0x4000, memory.address());
        (void)late.delay(memory.address(), 0x1000);
        (void)load(it.vm, file_of(pattern(0x4000)), 0, 0x4000, 0);
        return std::string("came back");
      },
      2);
  if (said == "skip") GTEST_SKIP() << "no userfaultfd";
  EXPECT_EQ(said, "child died of signal " + std::to_string(SIGALRM));
  EXPECT_TRUE(eventually([] { return table().empty(); }));
}

}  // namespace
