// SPDX-License-Identifier: GPL-2.0-only
//
// nuke.ko comes and goes: how many devices, and that nothing of them is left.
#include <fcntl.h>

#include <iostream>
#include <map>
#include <sstream>
#include <thread>

#include "faults.hpp"
#include "nuke.hpp"
#include "traces.hpp"

namespace {

using namespace t;

class NukeLoad : public Nuke {
 protected:
  void SetUp() override {
    Nuke::SetUp();
    if (!IsSkipped()) ASSERT_EQ(nuke().remove(), 0);
  }
};

TEST_F(NukeLoad, MakesAsManyAsAskedFor) {
  for (const int count : {1, 2, 5, 256}) {
    const Traces before = Traces::now();
    ASSERT_EQ(nuke().insert("count=" + std::to_string(count)), 0) << count;
    EXPECT_EQ(slurp("/sys/module/nuke/parameters/count"), std::to_string(count) + "\n");
    EXPECT_EQ(nuke_nodes().size(), static_cast<std::size_t>(count));
    for (const int index : {0, count - 1}) {
      EXPECT_EQ(read_text(open_nuke(index), 100), kWarning) << index << " of " << count;
      EXPECT_EQ(write_text(open_nuke(index), "no"), 2);
      EXPECT_EQ(said().incorrect,
                std::vector<std::string>{"nuke" + std::to_string(index) + ": incorrect secret"});
    }
    ASSERT_EQ(nuke().remove_soon(), 0);
    EXPECT_EQ(Traces::now(), before) << count;
  }
}

TEST_F(NukeLoad, RefusesACountThatCannotBe) {
  const Traces before = Traces::now();
  for (const char* count : {"0", "-1", "257", "1000000", "-2147483648"}) {
    EXPECT_EQ(nuke().insert(std::string("count=") + count), -EINVAL) << count;
    EXPECT_TRUE(log_.shows(std::string("^nuke: count=") + count + ": .* 1 to 256 devices$"))
        << log_.seen();
    EXPECT_EQ(Traces::now(), before) << count;
  }
  for (const char* count : {"", "two", "2x", "99999999999"}) {
    EXPECT_FALSE(nuke().insert(std::string("count=") + count).ok()) << count;
  }
  EXPECT_EQ(Traces::now(), before);
}

TEST_F(NukeLoad, StaysWhileADeviceIsOpen) {
  ASSERT_EQ(nuke().insert(), 0);
  for (const int index : {0, 1}) {
    const Fd file = open_nuke(index);
    EXPECT_TRUE(Loadable::busy(nuke().remove())) << index;
    EXPECT_EQ(read_text(file, 100), kWarning) << "and goes on to work";
  }
  EXPECT_EQ(nuke().remove_soon(), 0);
}

struct Cache {
  long objects = 0;  // in use, or free in a slab that some CPU has at hand
  long per_slab = 0;
};

// The kernel's general caches, tidied up.
std::map<std::string, Cache> caches() {
  std::map<std::string, Cache> all;
  for (const std::string& name : entries_of("/sys/kernel/slab")) {
    if (name.starts_with("kmalloc-")) spit("/sys/kernel/slab/" + name + "/shrink", "1");
  }
  for (const std::string& line : lines_of(slurp("/proc/slabinfo"))) {
    std::istringstream words(line);
    std::string name;
    Cache cache;
    long other = 0;
    if (words >> name >> cache.objects >> other >> other >> cache.per_slab &&
        name.starts_with("kmalloc-")) {
      all[name] = cache;
    }
  }
  return all;
}

// The caches that have grown by more than what CPUs may have at hand and one in four turns.
std::string grown(const std::map<std::string, Cache>& before, int turns) {
  std::string names;
  for (const auto& [name, cache] : caches()) {
    const auto old = before.find(name);
    const long more = cache.objects - (old == before.end() ? 0 : old->second.objects);
    if (more > turns / 4 + cache.per_slab * ::sysconf(_SC_NPROCESSORS_ONLN)) {
      names += name + " by " + std::to_string(more) + " ";
    }
  }
  return names;
}

TEST_F(NukeLoad, ComesAndGoesAHundredTimes) {
  // Opened once: what the file system keeps for each opening is no leak of the module.
  const Fd file = nuke().open();
  const auto turn = [&] {
    ASSERT_EQ(Loadable::insert_open(file, "count=5"), 0);
    EXPECT_EQ(read_text(open_nuke(0), 100), kWarning);
    EXPECT_EQ(write_text(open_nuke(1), "no"), 2);
    ASSERT_EQ(nuke().remove_soon(), 0);
  };
  for (int i = 0; i < 10 && !HasFatalFailure(); ++i) turn();  // fills what is kept for later
  const Traces before = Traces::now();
  const auto objects = caches();
  ASSERT_FALSE(objects.empty());
  constexpr int kTurns = 100;
  for (int i = 0; i < kTurns && !HasFatalFailure(); ++i) turn();
  EXPECT_EQ(Traces::now(), before);
  // Some of what is freed is free only seconds later; looking leaves some of that, too.
  std::string leaked = grown(objects, kTurns);
  for (int tries = 0; tries < 3 && !leaked.empty(); ++tries) {
    std::this_thread::sleep_for(std::chrono::seconds(6));
    leaked = grown(objects, kTurns);
  }
  EXPECT_EQ(leaked, "");
}

// What can be made to fail, fails: the kernel's loader and the module alike.
TEST_F(NukeLoad, LeavesNothingWhenItFails) {
  const Faults faults;
  if (!faults.available()) GTEST_SKIP() << "no fault injection in this kernel";
  const Traces before = Traces::now();
  const Fd file = nuke().open();
  complaints_so_far();
  int refused = 0;
  for (int nth = 1;; ++nth) {
    ASSERT_LT(nth, 10000);
    faults.arm(nth);
    const Ret r = Loadable::insert_open(file, "");
    const bool happened = faults.fired();
    if (r.ok()) {
      // Some things can be done without.
      ASSERT_EQ(nuke_nodes().size(), 2U) << nth;
      ASSERT_EQ(read_text(open_nuke(1), 100), kWarning) << nth;
      ASSERT_EQ(nuke().remove_soon(), 0) << nth;
    } else {
      ASSERT_TRUE(happened) << nth << ": " << r;
      ++refused;
    }
    ASSERT_EQ(Traces::now(), before) << nth;
    // The kernel may complain of what fails.
    ASSERT_EQ(reports(), std::vector<std::string>()) << nth;
    if (!happened) break;
  }
  EXPECT_GT(refused, 20);
  std::cout << refused << " times refused\n";
}

}  // namespace
