// SPDX-License-Identifier: GPL-2.0-only
//
// Too little memory, as a cgroup's limit makes it: what the kernel kills leaves nothing, and what
// it refuses is refused with ENOMEM and can go on with what it has.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <iostream>
#include <optional>

#include "cgroup.hpp"
#include "image.hpp"
#include "kmsg.hpp"
#include "limits.hpp"
#include "slabs.hpp"
#include "state.hpp"

namespace {

using namespace t;

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kLimit = 8 * kMiB;

class Memcg : public Limits {
 protected:
  void SetUp() override {
    Limits::SetUp();
    if (IsSkipped()) return;
    group_.emplace(kLimit);
    if (!group_->valid()) GTEST_SKIP() << "no memory cgroup of version 2";
    lift();
    before_ = State::at_rest();
    objects_ = held_objects();
  }
  void TearDown() override {
    if (before_) {
      EXPECT_TRUE(State::returns_to(*before_)) << State::now() << "\nshould be " << *before_;
      EXPECT_TRUE(eventually([&] { return held_objects() == objects_; }))
          << ::testing::PrintToString(held_objects()) << "\nshould be "
          << ::testing::PrintToString(objects_);
      EXPECT_TRUE(eventually([&] { return group_->current() < long{2 * kMiB}; }))
          << group_->current() << " bytes are still charged";
      // What the kernel tells of its killing is as it should be.
      EXPECT_EQ(reports(), std::vector<std::string>());
    }
    group_.reset();
    Limits::TearDown();
  }
  // What runs in the group, and how it ended: by the kernel's hand, or as it says.
  pid_t start(const std::function<std::string()>& act) const {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child != 0) return child;
    ::signal(SIGALRM, SIG_DFL);
    ::alarm(200);
    const rlimit many{4096, 4096};
    ::setrlimit(RLIMIT_NOFILE, &many);
    // What the process itself needs is charged to the group it comes from.
    if (::mlockall(MCL_CURRENT) != 0 || !group_->enter()) ::_exit(2);
    const std::string said = act();
    if (!said.empty()) std::cerr << said << std::endl;
    ::_exit(said.empty() ? 0 : 1);
  }
  static int end_of(pid_t child) {
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
  }
  std::optional<MemoryGroup> group_;

 private:
  std::optional<State> before_;
  std::map<std::string, long> objects_;
};

// --- Those who take until they are killed ----------------------------------

std::string take_vms() {
  std::vector<Machine> machines;
  machines.reserve(4000);
  for (;;) {
    machines.push_back(named(guest::halt(), "greedy"));
    const Machine& last = machines.back();
    if (last.built.ok()) NEED_EQ(last.run(), 0);
    NEED(last.vm.valid());
  }
}

std::string take_vcpus() {
  std::vector<Machine> machines;
  std::vector<Vcpu> vcpus;
  for (;;) {
    machines.push_back(named(guest::halt(), "greedy"));
    for (unsigned i = 1; i < 60; ++i) {
      vcpus.emplace_back(machines.back().vm, i);
      NEED(vcpus.back().fd.valid());
    }
  }
}

// Tables for each page of a slot, and for dirty pages, are the kernel's memory.
std::string take_slots() {
  const BareVm it;
  const Mapping memory = Mapping::memory(64 * kMiB);
  for (unsigned slot = 0;; ++slot) {
    NEED_EQ(set_slot(it.vm, slot, std::uint64_t{slot} * 64 * kMiB, 64 * kMiB, memory.address(),
                     KVM_MEM_LOG_DIRTY_PAGES),
            0);
  }
}

// The guest touches each page of a segment, which then stands for other memory.
std::string touch_by_guest() {
  const Bytes code = {0xb8, 0x00, 0x10,        // mov ax, 0x1000
                      0x8e, 0xd8,              // mov ds, ax
                      0x31, 0xdb,              // xor bx, bx
                      0x88, 0x07,              // mov [bx], al
                      0x81, 0xc3, 0x00, 0x10,  // add bx, 0x1000
                      0x75, 0xf8,              // jnz to the mov
                      0xe6, 0x10,              // out 0x10, al
                      0xeb, 0xf4};             // jmp to the mov
  constexpr std::size_t kSegment = 0x10000;
  const Machine machine = named(code, "touching");
  NEED_EQ(machine.built, 0);
  const Mapping memory = Mapping::memory(8 * kLimit);
  ::madvise(memory.data(), memory.size(), MADV_NOHUGEPAGE);
  for (std::size_t at = 0; at < memory.size(); at += kSegment) {
    NEED_EQ(set_slot(machine.vm, 1, kSegment, kSegment, memory.address() + at), 0);
    NEED_EQ(machine.cpu.enter(), 0);
    NEED_EQ(machine.cpu.run().exit_reason, unsigned{KVM_EXIT_IO});
    (void)set_slot(machine.vm, 1, 0, 0, 0);
  }
  return "all of it could be had";
}

// A VM whose memory takes nothing yet, and an image of holes for all of it.
struct Sparse {
  explicit Sparse(std::size_t size) : memory(Mapping::memory(size)) {}
  [[nodiscard]] bool ready() const {
    return ::ftruncate(file, static_cast<off_t>(memory.size())) == 0 &&
           set_slot(it.vm, 0, 0, memory.size(), memory.address()) == 0;
  }
  [[nodiscard]] Ret load_of(std::size_t length) const { return load(it.vm, file, 0, length, 0); }

  BareVm it;
  Mapping memory;
  Fd file{::memfd_create("sparse", MFD_CLOEXEC)};
};

std::string load_more_than_there_is() {
  const Sparse sparse(8 * kLimit);
  NEED(sparse.ready());
  const Ret r = sparse.load_of(sparse.memory.size());
  return "the load came back with " + ::testing::PrintToString(r);
}

const struct {
  const char* what;
  std::string (*act)();
} kGreedy[] = {
    {"VMs", take_vms},
    {"vCPUs", take_vcpus},
    {"memory slots", take_slots},
    {"memory touched by the guest", touch_by_guest},
    {"an image", load_more_than_there_is},
};

TEST_F(Memcg, WhoeverIsKilledLeavesNothing) {
  for (const auto& row : kGreedy) {
    SCOPED_TRACE(row.what);
    const long before = group_->kills();
    const int status = end_of(start(row.act));
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    EXPECT_EQ(group_->kills(), before + 1) << "by the kernel";
    EXPECT_TRUE(eventually([] { return table().empty(); }));
    EXPECT_EQ(reports(), std::vector<std::string>());
  }
}

// With memory.oom.group all go at once, whatever each was about.
TEST_F(Memcg, AGroupIsKilledAsAWhole) {
  group_->kill_all_at_once();
  std::array<pid_t, 4> children{};
  for (std::size_t i = 0; i < children.size(); ++i) {
    children[i] = start([i]() -> std::string {
      if (i == 0) {
        while (table().size() < 3) ::usleep(1000);
        return take_vms();
      }
      const Machine machine = named(i == 1 ? guest::loop() : guest::outs_forever(), "bystander");
      while (machine.cpu.enter().ok()) {
      }
      return "came out";
    });
  }
  for (const pid_t child : children) {
    const int status = end_of(child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  }
  EXPECT_GE(group_->kills(), long{children.size()});
}

// --- Those whom the kernel must not kill: to them it says no ---------------

bool spare_me() {
  return spit("/proc/self/oom_score_adj", "-1000");
}

std::string refused_vms() {
  static std::array<int, 4000> vms{};
  const Fd system = open_device();
  NEED_EQ(ctl(system, KVM_GET_API_VERSION), 12);
  NEED(spare_me());
  std::size_t made = 0;
  Ret r = 0;
  while ((r = create_vm(system, "refused")).ok()) vms[made++] = static_cast<int>(r.value);
  if (r != -ENOMEM) return "a VM is refused with " + ::testing::PrintToString(r);
  for (int i = 0; i < 3; ++i) {
    const Ret again = create_vm(system, "refused");
    if (again.ok()) vms[made++] = static_cast<int>(again.value);
    if (!again.ok() && again != -ENOMEM) return ::testing::PrintToString(again);
  }
  // With some of it given back there is room again.
  for (std::size_t i = 0; i < made / 2; ++i) ::close(vms[i]);
  NEED(eventually([&] { return Fd(create_vm(system, "again")).valid(); }));
  return made > 2 ? "" : "no room for any";
}

std::string refused_vcpus() {
  static std::array<int, 2000> vcpus{};
  const Fd system = open_device();
  Fd vms[40];
  for (Fd& vm : vms) vm = Fd();
  NEED(spare_me());
  std::size_t made = 0;
  Ret r = 0;
  for (Fd& vm : vms) {
    r = create_vm(system, "refused");
    vm = Fd(r);
    for (unsigned i = 0; r.ok() && i < 100; ++i) {
      r = ctl(vm, KVM_CREATE_VCPU, i);
      if (r.ok()) vcpus[made++] = static_cast<int>(r.value);
    }
    if (!r.ok()) break;
  }
  if (r != -ENOMEM) return "a vCPU is refused with " + ::testing::PrintToString(r);
  for (std::size_t i = 0; i < made; ++i) ::close(vcpus[i]);
  for (Fd& vm : vms) vm.close();
  NEED(eventually([&] {
    const Fd vm(create_vm(system, "again"));
    return vm.valid() && Fd(ctl(vm, KVM_CREATE_VCPU, 0)).valid();
  }));
  return made > 2 ? "" : "no room for any";
}

std::string refused_load() {
  const Sparse sparse(4 * kLimit);
  NEED(sparse.ready());
  NEED(spare_me());
  const Ret r = sparse.load_of(sparse.memory.size());
  ::madvise(sparse.memory.data(), sparse.memory.size(), MADV_DONTNEED);
  if (r != -ENOMEM) return "the load is refused with " + ::testing::PrintToString(r);
  NEED_EQ(sparse.load_of(kMiB), 0);
  return "";
}

TEST_F(Memcg, WhoeverIsSparedGetsEnomem) {
  const struct {
    const char* what;
    std::string (*act)();
  } rows[] = {{"VMs", refused_vms}, {"vCPUs", refused_vcpus}, {"an image", refused_load}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    EXPECT_EQ(end_of(start(row.act)), 0);
    EXPECT_TRUE(eventually([] { return table().empty(); }));
    EXPECT_EQ(reports(), std::vector<std::string>());
  }
  EXPECT_EQ(group_->kills(), 0);
}

}  // namespace
