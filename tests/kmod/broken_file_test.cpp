// SPDX-License-Identifier: GPL-2.0-only
//
// Images whose file fails, ends early or hangs while it is read: a clean errno, the digest and
// the VM as they were, and the next load succeeds.
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <thread>

#include "bystander.hpp"
#include "call.hpp"
#include "caught_signals.hpp"
#include "fuse.hpp"
#include "image.hpp"
#include "state.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;
using Reads = BrokenFile::Reads;

constexpr std::size_t kSize = std::size_t{40} * 4096;
constexpr std::size_t kMiddle = std::size_t{17} * 4096;

// A VM with a good image in it, and a file to be loaded next.
struct Scene {
  explicit Scene(Reads reads) : file(kSize, reads) {
    slot = set_slot(it.vm, 0, 0, kSize, memory.address());
    const Fd good = file_of(pattern(0x1000, 99));
    first = load(it.vm, good, 0, 0x1000, 0);
    digest = it.digest();
  }

  // All is as it was before, and the file, mended, can be loaded.
  void expect_unharmed() const {
    EXPECT_EQ(it.digest(), digest);
    EXPECT_EQ(ctl(it.vm, KVM_CHECK_EXTENSION, KVM_CAP_USER_MEMORY), 1);
    file.script().good = kSize;
    file.script().waits = false;
    const Fd mended = file.open();
    EXPECT_EQ(load(it.vm, mended, 0, kSize, 0), 0);
    EXPECT_EQ(it.digest(), digest_text(pattern(kSize)));
    const Bytes bytes = pattern(kSize);
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), memory.data()));
  }

  BareVm it;
  Mapping memory = Mapping::memory(kSize);
  BrokenFile file;
  Ret slot = 0;
  Ret first = 0;
  std::string digest;
};

class BrokenImage : public Own, public ::testing::WithParamInterface<Reads> {
 protected:
  void SetUp() override {
    Own::SetUp();
    if (IsSkipped()) return;
    if (!BrokenFile(kSize).valid()) GTEST_SKIP() << "no FUSE in this kernel";
    scene_.emplace(GetParam());
    ASSERT_EQ(scene_->slot, 0);
    ASSERT_EQ(scene_->first, 0);
  }
  void TearDown() override {
    scene_.reset();
    Own::TearDown();
  }
  [[nodiscard]] Script& script() const { return scene_->file.script(); }
  [[nodiscard]] Ret load_all() const {
    const Fd file = scene_->file.open();
    return load(scene_->it.vm, file, 0, kSize, 0);
  }
  // From the middle on it does not answer.
  void hang() const {
    script().good = kMiddle;
    script().waits = true;
  }
  std::optional<Scene> scene_;
};

INSTANTIATE_TEST_SUITE_P(Reads, BrokenImage, ::testing::Values(Reads::kCached, Reads::kDirect),
                         [](const auto& row) {
                           return row.param == Reads::kCached ? "Cached" : "Direct";
                         });

TEST_P(BrokenImage, AnErrorInTheMiddle) {
  for (const int error : {EIO, ENOMEM, ESTALE, EFAULT, ENOSPC, EACCES}) {
    script().good = kMiddle;
    script().error = error;
    const Fd file = scene_->file.open();
    vmctl_load_image result{};
    EXPECT_EQ(load(scene_->it.vm, file, 0, kSize, 0, &result), -EIO) << error;
    EXPECT_EQ(std::count(result.sha256, result.sha256 + 32, 0xcc), 32);
    EXPECT_EQ(scene_->it.digest(), scene_->digest);
    EXPECT_EQ(load(scene_->it.vm, file, 0, 4096, 0), 0) << "what is there can be loaded";
    scene_->digest = scene_->it.digest();
  }
  scene_->expect_unharmed();
}

TEST_P(BrokenImage, AnErrorAtOnce) {
  script().good = 0;
  script().error = EIO;
  const Fd file = scene_->file.open();
  EXPECT_EQ(load(scene_->it.vm, file, 0, kSize, 0), -EIO);
  scene_->expect_unharmed();
}

TEST_P(BrokenImage, LessThanItSays) {
  for (const std::size_t good : {kMiddle + 100, kMiddle, std::size_t{0}, kSize - 1}) {
    script().good = good;
    script().error = 0;
    const Fd file = scene_->file.open();
    EXPECT_EQ(load(scene_->it.vm, file, 0, kSize, 0), -ENODATA) << good;
    EXPECT_EQ(scene_->it.digest(), scene_->digest);
  }
  scene_->expect_unharmed();
}

TEST_P(BrokenImage, AServerThatDies) {
  hang();
  {
    const Call loader([&] { return load_all(); });
    EXPECT_TRUE(eventually([&] { return script().waiting > 0; }));
    EXPECT_FALSE(loader.back());
    scene_->file.end_server();
    EXPECT_TRUE(loader.comes_back());
    EXPECT_EQ(loader.result(), -EIO);
  }
  EXPECT_EQ(scene_->it.digest(), scene_->digest);
  const Fd good = file_of(pattern(kSize));
  EXPECT_EQ(load(scene_->it.vm, good, 0, kSize, 0), 0);
}

// While a load waits for its file, the table, other VMs and this one go on, and it can be revoked.
TEST_P(BrokenImage, AFileThatHangsHoldsNobodyUp) {
  hang();
  const BareVm other;
  const Call loader([&] { return load_all(); });
  EXPECT_TRUE(eventually([&] { return script().waiting > 0; }));
  const Bystander others(scene_->it, other);
  EXPECT_TRUE(others.is_done()) << "held up after step " << others.step();
  EXPECT_FALSE(loader.back());
  script().waits = false;
  EXPECT_TRUE(loader.comes_back());
  EXPECT_TRUE(loader.result() == -ENODEV || loader.result() == -ENODATA) << loader.result();
}

// A signal ends a load that waits for its file as soon as the file lets go, and it is not begun
// again behind the program's back.
TEST_P(BrokenImage, ASignalEndsAWaitingLoad) {
  for (const int flags : {0, SA_RESTART}) {
    for (const bool yields : {true, false}) {
      SCOPED_TRACE(std::to_string(flags) + (yields ? " yields" : " does not yield"));
      const CaughtSignals signals({SIGUSR1}, flags);
      // A file of its own, of which nothing is cached or still being read ahead.
      scene_.emplace(GetParam());
      hang();
      script().yields = yields;
      {
        const Call loader([&] { return load_all(); });
        EXPECT_TRUE(eventually([&] { return script().waiting > 0; }));
        loader.signal();
        if (!yields || GetParam() == Reads::kCached) {
          // With a cache it may be the kernel that reads ahead, and the load still before that.
          std::this_thread::sleep_for(50ms);
          if (GetParam() == Reads::kDirect)
            EXPECT_FALSE(loader.back()) << "as in read(), the file has to answer";
          script().good = kSize;
          script().waits = false;
        }
        EXPECT_TRUE(loader.comes_back());
        EXPECT_EQ(loader.result(), -EINTR);
        EXPECT_EQ(CaughtSignals::count(), 1);
      }
      EXPECT_EQ(scene_->it.digest(), scene_->digest);
      script().waits = false;
    }
  }
  scene_->expect_unharmed();
}

TEST_P(BrokenImage, AProcessThatWaitsCanBeKilled) {
  const State before = State::now();
  hang();
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const Scene* scene = &*scene_;
    const BareVm mine;
    const Mapping memory = Mapping::memory(kSize);
    (void)set_slot(mine.vm, 0, 0, kSize, memory.address());
    const Fd file = scene->file.open();
    (void)load(mine.vm, file, 0, kSize, 0);
    ::_exit(1);
  }
  EXPECT_TRUE(eventually([&] { return script().waiting > 0; }));
  ::kill(child, SIGKILL);
  int status = -1;
  EXPECT_TRUE(eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, SIGKILL);
  EXPECT_TRUE(State::returns_to(before)) << State::now();
  scene_->expect_unharmed();
}

// What the tool makes of it: the file, and where in it.
TEST_P(BrokenImage, TheToolNamesFileAndOffset) {
  if (std::system("command -v vmctl >/dev/null") != 0) GTEST_SKIP() << "no vmctl command";
  const auto run = [&](const std::string& options, int* status) {
    std::string said;
    const std::string line = "vmctl load " + options + " " + scene_->file.path() + " 2>&1";
    FILE* out = ::popen(line.c_str(), "r");
    char part[256];
    while (::fgets(part, sizeof part, out) != nullptr) said += part;
    *status = WEXITSTATUS(::pclose(out));
    return said;
  };
  for (const char* options : {"--mem 1M", "--mem 1M --device /dev/kvm"}) {
    SCOPED_TRACE(options);
    script().good = kMiddle;
    script().error = EIO;
    int status = 0;
    const std::string broken = run(options, &status);
    EXPECT_EQ(status, 65) << broken;
    EXPECT_NE(broken.find(scene_->file.path()), std::string::npos) << broken;
    EXPECT_NE(broken.find("offset " + std::to_string(kMiddle)), std::string::npos) << broken;
    EXPECT_NE(broken.find("Input/output error"), std::string::npos) << broken;
  }
  script().error = 0;
  int status = 0;
  const std::string short_one = run("--mem 1M", &status);
  EXPECT_EQ(status, 65) << short_one;
  EXPECT_NE(short_one.find(scene_->file.path()), std::string::npos) << short_one;
  EXPECT_NE(short_one.find("shorter"), std::string::npos) << short_one;
  scene_->expect_unharmed();
}

}  // namespace
