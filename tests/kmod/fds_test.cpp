// SPDX-License-Identifier: GPL-2.0-only
//
// The three kinds of descriptors: what they are called, whose they are, and
// what happens where there is no room for one more.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <csignal>
#include <cstring>

#include "commands.hpp"
#include "driver.hpp"

namespace {

using namespace t;

class Fds : public Kept {};
class OwnFds : public Own {};

TEST_F(Fds, AreCloseOnExec) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  EXPECT_EQ(::fcntl(machine.vm, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(machine.cpu.fd, F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(::fcntl(machine.vm, F_GETFL) & O_ACCMODE, O_RDWR);
  EXPECT_EQ(::fcntl(machine.cpu.fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

TEST_F(OwnFds, OfNamedVmsAreCloseOnExec) {
  const Fd system = open_device();
  const Fd vm(create_vm(system, "x"));
  ASSERT_TRUE(vm.valid());
  EXPECT_EQ(::fcntl(vm, F_GETFD), FD_CLOEXEC);
}

TEST_F(OwnFds, AreNotCalledKvm) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  for (const int fd : {static_cast<int>(machine.vm), static_cast<int>(machine.cpu.fd)}) {
    const std::string name = link_of(fd);
    EXPECT_TRUE(name.starts_with("anon_inode:")) << name;
    EXPECT_EQ(name.find("kvm"), std::string::npos) << name;
    EXPECT_NE(name.find("vmctl"), std::string::npos) << name;
  }
  EXPECT_NE(link_of(machine.vm), link_of(machine.cpu.fd));
}

TEST_F(Fds, ALinkInProcDoesNotOpenThem) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  for (const int fd : {static_cast<int>(machine.vm), static_cast<int>(machine.cpu.fd)}) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    EXPECT_EQ(Ret::of(::open(path.c_str(), O_RDWR)), -ENXIO);
  }
  // The file behind a mapping of the run page has a link as well.
  const auto start = machine.cpu.page.address();
  const std::uint64_t end = start + machine.cpu.page.size();
  std::array<char, 80> path{};
  std::snprintf(path.data(), path.size(), "/proc/self/map_files/%" PRIx64 "-%" PRIx64, start, end);
  EXPECT_NE(link_of(path.data()), "");
  EXPECT_EQ(Ret::of(::open(path.data(), O_RDWR)), -ENXIO);
}

TEST_F(Fds, AVcpuIdIsTakenOnce) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  const auto before = open_fds();
  EXPECT_EQ(ctl(machine.vm, KVM_CREATE_VCPU, 0), -EEXIST);
  const long ids = ctl(machine.vm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID).value;
  ASSERT_GT(ids, 1);
  EXPECT_EQ(ctl(machine.vm, KVM_CREATE_VCPU, ids), -EINVAL);
  EXPECT_EQ(ctl(machine.vm, KVM_CREATE_VCPU, -1), -EINVAL);
  EXPECT_EQ(open_fds(), before);
  const Vcpu last(machine.vm, 7);
  EXPECT_TRUE(last.page.valid());
  EXPECT_EQ(last.reset(), 0);
  EXPECT_EQ(last.enter(), 0);
}

// KVM's objects are for the address space that made them.
TEST_F(Fds, AForkedChildGetsEio) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  EXPECT_EQ(in_child([&]() -> std::string {
              alignas(8) static std::uint8_t room[16384];
              for (const Command& command : kVcpuCommands) {
                NEED_EQ(ctl(machine.cpu.fd, command.number, room), -EIO);
              }
              for (const Command& command : kVmCommands) {
                NEED_EQ(ctl(machine.vm, command.number, room), -EIO);
              }
              NEED_EQ(ctl(machine.system, KVM_GET_API_VERSION), 12);
              return "";
            }),
            "");
  EXPECT_EQ(machine.cpu.enter(), 0) << "and the parent goes on";
}

TEST_F(Fds, AnotherProcessGetsEioForWhatItWasSent) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Fd here(pair[0]);
  Fd there(pair[1]);
  const pid_t child = ::fork();
  if (child == 0) {  // makes the VM and sends it; lives until the other end is closed
    const Machine machine(guest::halt());
    pass_fd(there, machine.vm);
    pass_fd(there, machine.cpu.fd);
    char byte = 0;
    ::_exit(::read(there, &byte, 1) >= 0 && machine.cpu.enter() == 0 ? 0 : 1);
  }
  there.close();
  {
    const Fd vm = receive_fd(here);
    const Fd cpu = receive_fd(here);
    ASSERT_TRUE(vm.valid() && cpu.valid());
    alignas(8) static std::uint8_t room[16384];
    for (const Command& command : kVmCommands) {
      EXPECT_EQ(ctl(vm, command.number, room), -EIO) << command.name;
    }
    for (const Command& command : kVcpuCommands) {
      EXPECT_EQ(ctl(cpu, command.number, room), -EIO) << command.name;
    }
  }
  ::shutdown(here, SHUT_RDWR);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

// The fds outlive the process that made them, and then end without it.
TEST_F(Fds, OutliveTheirMaker) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Fd here(pair[0]);
  Fd there(pair[1]);
  EXPECT_EQ(in_child([&]() -> std::string {
              const Machine machine(guest::halt());
              NEED_EQ(machine.built, 0);
              pass_fd(there, machine.vm);
              pass_fd(there, machine.cpu.fd);
              return "";
            }),
            "");
  there.close();
  const Fd vm = receive_fd(here);
  Fd cpu = receive_fd(here);
  ASSERT_TRUE(vm.valid() && cpu.valid());
  EXPECT_EQ(ctl(cpu, KVM_RUN), -EIO);
  EXPECT_EQ(ctl(vm, KVM_CREATE_VCPU, 1), -EIO);
  if (device_is_vmctl()) EXPECT_EQ(table().size(), 1U);
  const Mapping page(3 * page_size(), PROT_READ, MAP_SHARED, cpu);
  cpu.close();
}

class NoRoom {
 public:
  // So many descriptors more than are open now.
  explicit NoRoom(unsigned more) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(open_fds().back()) + 1 + more;
    // Holes below the limit are filled.
    ::setrlimit(RLIMIT_NOFILE, &now);
    for (;;) {
      Fd fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      if (!fd.valid()) break;
      fill_.push_back(std::move(fd));
    }
    for (; more > 0 && !fill_.empty(); --more) fill_.pop_back();
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;
  ~NoRoom() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
  std::vector<Fd> fill_;
};

TEST_F(Fds, WithoutRoomForAVmAreRefused) {
  const Fd system = open_device();
  {
    const NoRoom none(0);
    EXPECT_EQ(ctl(system, KVM_CREATE_VM), -EMFILE);
    if (device_is_vmctl()) EXPECT_EQ(create_vm(system, "x"), -EMFILE);
  }
  EXPECT_TRUE(kvm_debug_folders().empty());
  if (device_is_vmctl()) EXPECT_TRUE(table().empty());
}

TEST_F(Fds, WithoutRoomForAVcpuAreRefused) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  {
    const NoRoom none(0);
    EXPECT_EQ(ctl(machine.vm, KVM_CREATE_VCPU, 1), -EMFILE);
  }
  {
    const NoRoom one(1);  // as much as KVM itself needs
    const Fd cpu(ctl(machine.vm, KVM_CREATE_VCPU, 1));
    EXPECT_TRUE(cpu.valid()) << "the id that failed is free again";
  }
}

TEST_F(Fds, TheRunPageIsOneForAllMappings) {
  const Machine machine(guest::outs(1));
  ASSERT_EQ(machine.built, 0);
  const Mapping second(3 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, machine.cpu.fd);
  const Mapping data(page_size(), PROT_READ, MAP_SHARED, machine.cpu.fd,
                     static_cast<off_t>(page_size()));
  ASSERT_TRUE(second.valid() && data.valid());
  EXPECT_EQ(machine.cpu.enter(), 0);
  const auto& run = *reinterpret_cast<const kvm_run*>(second.data());
  EXPECT_EQ(run.exit_reason, static_cast<unsigned>(KVM_EXIT_IO));
  EXPECT_EQ(run.io.port, guest::kPort);
  EXPECT_EQ(data.data()[run.io.data_offset - page_size()], 2) << "al, by the page of its own";
  second.data()[offsetof(kvm_run, immediate_exit)] = 1;
  EXPECT_EQ(machine.cpu.enter(), -EINTR) << "as written through the other mapping";
}

// Beyond the three pages there is nothing, wherever a mapping begins.
TEST_F(Fds, BeyondTheRunPagesIsNothing) {
  const Machine machine(guest::halt());
  ASSERT_EQ(machine.built, 0);
  const auto touch = [&](std::size_t first_page, std::size_t page) {
    return in_child([&]() -> std::string {
      const Mapping pages((page + 1) * page_size(), PROT_READ, MAP_SHARED, machine.cpu.fd,
                          static_cast<off_t>(first_page * page_size()));
      if (!pages.valid()) return errno == EINVAL ? "no mapping" : "another errno";
      (void)*static_cast<volatile std::uint8_t*>(pages.data() + page * page_size());
      return "";
    });
  };
  const std::string bus_error = "child died of signal " + std::to_string(SIGBUS);
  for (std::size_t page = 0; page < 3; ++page) {
    EXPECT_EQ(touch(0, page), "");
    EXPECT_EQ(touch(page, 0), "");
  }
  for (const auto& [first, page] : {std::pair<std::size_t, std::size_t>{0, 3}, {1, 2}, {3, 0}}) {
    const std::string said = touch(first, page);
    EXPECT_TRUE(said == bus_error || said == "no mapping") << said;
  }
}

// Where a VM logs the pages it writes to in rings, a vCPU's ring is mapped behind its run pages.
TEST_F(Fds, TheDirtyRingIsMapped) {
  constexpr std::size_t kRing = 4UL * 4096;
  Fd system = open_device();
  Fd vm(ctl(system, KVM_CREATE_VM));
  kvm_enable_cap ring{.cap = KVM_CAP_DIRTY_LOG_RING, .args = {kRing}};
  if (const Ret r = ctl(vm, KVM_ENABLE_CAP, &ring); !r.ok())
    GTEST_SKIP() << "no dirty rings: " << r;
  const Machine machine(std::move(system), std::move(vm), guest::store_byte(0x3000, 7));
  ASSERT_EQ(machine.built, 0);
  const auto map = [&](std::size_t size, int protection, int flags, std::size_t page = 0) {
    return Mapping(size, protection, flags, machine.cpu.fd,
                   static_cast<off_t>((KVM_DIRTY_LOG_PAGE_OFFSET + page) * page_size()));
  };
  const Mapping pages = map(kRing, PROT_READ | PROT_WRITE, MAP_SHARED);
  ASSERT_TRUE(pages.valid()) << std::strerror(errno);
  ASSERT_EQ(set_slot(machine.vm, 0, 0, Machine::kMemory, machine.memory.address(),
                     KVM_MEM_LOG_DIRTY_PAGES),
            0);
  ASSERT_EQ(machine.run(), 0);
  const auto* entries = reinterpret_cast<const kvm_dirty_gfn*>(pages.data());
  const bool logged = std::any_of(entries, entries + 16, [](const kvm_dirty_gfn& entry) {
    return entry.flags == KVM_DIRTY_GFN_F_DIRTY && entry.slot == 0 && entry.offset == 3;
  });
  EXPECT_TRUE(logged);

  // Not for others' writing, nor to be run; and it ends where it ends.
  EXPECT_FALSE(map(kRing, PROT_READ, MAP_PRIVATE).valid());
  EXPECT_EQ(errno, EINVAL);
  EXPECT_FALSE(map(kRing, PROT_READ | PROT_EXEC, MAP_SHARED).valid());
  EXPECT_TRUE(errno == EINVAL || errno == EPERM) << errno << ": newer kernels run no such file";
  const std::string said = in_child([&]() -> std::string {
    const Mapping beyond = map(page_size(), PROT_READ, MAP_SHARED, kRing / page_size());
    NEED(beyond.valid());
    (void)*static_cast<volatile std::uint8_t*>(beyond.data());
    return "";
  });
  EXPECT_EQ(said, "child died of signal " + std::to_string(SIGBUS));
}

}  // namespace
