// SPDX-License-Identifier: GPL-2.0-only
//
// nuke.ko comes and goes: how many devices, and that nothing of them is left.
#include <fcntl.h>

#include <algorithm>
#include <map>
#include <regex>
#include <sstream>
#include <thread>

#include "nuke.hpp"

namespace {

using namespace t;

class NukeLoad : public Nuke {
 protected:
  void SetUp() override {
    Nuke::SetUp();
    if (!IsSkipped()) ASSERT_EQ(nuke().remove(), 0);
  }
};

// What a module can leave behind that has a name.
struct Traces {
  std::vector<std::string> names;

  static Traces now() {
    Traces all;
    for (const char* folder : {"/dev", "/sys/class", "/sys/devices/virtual", "/sys/module"}) {
      for (const std::string& name : entries_of(folder)) {
        all.names.push_back(std::string(folder) + "/" + name);
      }
    }
    for (const std::string& link : entries_of("/sys/dev/char")) all.names.push_back(link);
    for (const std::string& line : lines_of(slurp("/proc/devices"))) all.names.push_back(line);
    std::sort(all.names.begin(), all.names.end());
    return all;
  }
  bool operator==(const Traces&) const = default;
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
class NukeFaults : public NukeLoad {
 protected:
  void SetUp() override {
    NukeLoad::SetUp();
    if (IsSkipped()) return;
    switch_ = Fd(::open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));
    if (!switch_.valid()) GTEST_SKIP() << "no fault injection in this kernel";
    for (const std::string& folder : entries_of(kDebug)) {
      if (folder.starts_with("fail")) spit(kDebug + folder + "/verbose", "0");
    }
    ASSERT_TRUE(spit(kDebug + "failslab/ignore-gfp-wait", "N"));
  }
  void TearDown() override {
    if (switch_.valid()) spit(kDebug + "failslab/ignore-gfp-wait", "Y");
    switch_.close();
    NukeLoad::TearDown();
  }
  // Lets the nth of this thread's chances to fail from here on fail; 0 ends that. Where the one
  // before has not been used up, this call may be what fails, once.
  void fail(int nth) {
    const std::string text = std::to_string(nth);
    const auto set = [&] { return Ret::of(::pwrite(switch_, text.data(), text.size(), 0)); };
    if (!set().ok()) ASSERT_EQ(set(), static_cast<long>(text.size()));
  }
  // Ends it, too, and tells whether it came to that.
  bool failed() {
    char left[16] = {};
    const Ret r = Ret::of(::pread(switch_, left, sizeof left - 1, 0));
    fail(0);
    return r.ok() && std::string_view(left) == "0\n";
  }

 private:
  const std::string kDebug = "/sys/kernel/debug/";
  Fd switch_;
};

// The kernel may complain of what fails, and of nothing else.
bool is_a_bug(const KernelLine& line) {
  static const std::regex bug(
      "BUG:|WARNING:|Oops|KASAN|UBSAN|refcount_t|general protection|memory leak|locking");
  return std::regex_search(line.text, bug);
}

TEST_F(NukeFaults, LeaveNothing) {
  const Traces before = Traces::now();
  const Fd file = nuke().open();
  int refused = 0;
  for (int nth = 1;; ++nth) {
    ASSERT_LT(nth, 10000);
    fail(nth);
    const Ret r = Loadable::insert_open(file, "");
    const bool happened = failed();
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
    for (const KernelLine& line : log_.fresh()) EXPECT_FALSE(is_a_bug(line)) << line.text;
    if (!happened) break;
  }
  EXPECT_GT(refused, 20);
  forget_complaints();
}

}  // namespace
