// SPDX-License-Identifier: GPL-2.0-only
//
// VMCTL_LOAD_IMAGE: bytes and digest right for any place and length, and each
// errno of the header with the memory left as it was.
#include "image.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <iostream>

namespace {

using namespace t;

class Load : public Own {};

// Memory of 0xcc in one slot at `gpa`.
struct Filled {
  Mapping memory;
  Filled(int vm, unsigned slot, std::uint64_t gpa, std::size_t size)
      : memory(Mapping::memory(size)) {
    std::memset(memory.data(), 0xcc, size);
    EXPECT_EQ(set_slot(vm, slot, gpa, size, memory.address()), 0);
  }
  [[nodiscard]] bool untouched() const {
    return std::count(memory.data(), memory.data() + memory.size(), 0xcc) ==
           static_cast<std::ptrdiff_t>(memory.size());
  }
};

TEST(Sha256, IsThatOfTheStandard) {  // FIPS 180-4's examples
  const auto of = [](const std::string& text) {
    return hex(sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
  };
  EXPECT_EQ(of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST_F(Load, PutsTheGuestWhereItRuns) {
  Machine machine = named({}, "image");
  const Bytes code = guest::add();
  const Fd file = file_of(code);
  vmctl_load_image result{};
  ASSERT_EQ(load(machine.vm, file, 0, code.size(), Machine::kEntry, &result), 0);
  EXPECT_EQ(digest_text(result), digest_text(code));
  EXPECT_EQ(table().at(0).image, digest_text(code));
  std::string out;
  EXPECT_EQ(machine.run(&out), 0);
  EXPECT_EQ(out, "4\n");
  EXPECT_EQ(::lseek(file, 0, SEEK_CUR), static_cast<off_t>(code.size())) << "position not used";
}

TEST_F(Load, AnyAlignmentAndLength) {
  const BareVm it;
  constexpr std::uint64_t kGpa = 0x10000;
  const Filled room(it.vm, 0, kGpa, 0x30000);
  const Bytes image = pattern(0x24000);
  const Fd file = file_of(image);
  const struct {
    std::uint64_t offset, length, at;
  } rows[] = {
      {0, 1, 0},
      {0, 1, 0xfff},
      {0xfff, 1, 0},
      {1, 2, 0xfff},
      {3, 63, 5},
      {3, 64, 5},
      {3, 65, 5},
      {0, 4095, 1},
      {0, 4096, 0},
      {0, 4097, 0},
      {1, 4096, 0},
      {0, 4096, 1},
      {4095, 8193, 4095},
      {7, 0x10000, 0x11},
      {0, 0x1ffff, 0x1},
      {0x123, 0x20001, 0xfff},
      {0, 0x24000, 0},
      {0x23fff, 1, 0x2ffff},
      {0, 0x20000, 0x10000},
  };
  for (const auto& [offset, length, at] : rows) {
    std::memset(room.memory.data(), 0xcc, room.memory.size());
    vmctl_load_image result{};
    ASSERT_EQ(load(it.vm, file, offset, length, kGpa + at, &result), 0)
        << offset << "+" << length << " at " << at;
    const std::span<const std::uint8_t> part(image.data() + offset, length);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), room.memory.data() + at)) << offset;
    EXPECT_EQ(std::count(room.memory.data(), room.memory.data() + at, 0xcc),
              static_cast<std::ptrdiff_t>(at))
        << "nothing before";
    EXPECT_EQ(
        std::count(room.memory.data() + at + length, room.memory.data() + room.memory.size(), 0xcc),
        static_cast<std::ptrdiff_t>(room.memory.size() - at - length))
        << "nothing behind";
    EXPECT_EQ(digest_text(result), digest_text(part)) << offset << "+" << length;
    EXPECT_EQ(it.digest(), digest_text(part));
    EXPECT_EQ(result.offset, offset);
    EXPECT_EQ(result.length, length);
  }
}

TEST_F(Load, GoesOverSlotsSideBySide) {
  const BareVm it;
  // Their memory is not side by side, and their order of creation is another.
  const Filled third(it.vm, 0, 0x5000, 0x1000);
  const Filled first(it.vm, 5, 0x1000, 0x1000);
  const Filled second(it.vm, 3, 0x2000, 0x3000);
  const Bytes image = pattern(0x4800);
  const Fd file = file_of(image);
  vmctl_load_image result{};
  ASSERT_EQ(load(it.vm, file, 0, image.size(), 0x1400, &result), 0);
  EXPECT_TRUE(std::equal(image.begin(), image.begin() + 0xc00, first.memory.data() + 0x400));
  EXPECT_TRUE(std::equal(image.begin() + 0xc00, image.begin() + 0x3c00, second.memory.data()));
  EXPECT_TRUE(std::equal(image.begin() + 0x3c00, image.end(), third.memory.data()));
  EXPECT_EQ(third.memory.data()[0xc00], 0xcc);
  EXPECT_EQ(digest_text(result), digest_text(image));
}

TEST_F(Load, WhatIsNotInSlotsIsAFaultAndNothingIsWritten) {
  const BareVm it;
  const Filled low(it.vm, 0, 0x1000, 0x2000);
  const Filled high(it.vm, 1, 0x4000, 0x1000);  // a hole of one page before it
  const Fd file = file_of(pattern(0x8000));
  const struct {
    std::uint64_t gpa, length;
  } rows[] = {
      {0, 1},
      {0xfff, 1},
      {0xfff, 2},
      {0, 0x1001},
      {0x2fff, 2},
      {0x3000, 1},
      {0x3fff, 2},
      {0x1000, 0x2001},
      {0x1000, 0x4000},
      {0x2000, 0x2001},
      {0x4fff, 2},
      {0x5000, 1},
      {0x4000, 0x1001},
      {1ULL << 40, 1},
      {1ULL << 52, 1},
      {~0ULL - 0xffff, 0x10},
      {(1ULL << 63) - 1, 2},
  };
  for (const auto& [gpa, length] : rows) {
    vmctl_load_image result{};
    EXPECT_EQ(load(it.vm, file, 0, length, gpa, &result), -EFAULT) << std::hex << gpa;
    EXPECT_EQ(std::count(result.sha256, result.sha256 + 32, 0xcc), 32);
  }
  EXPECT_TRUE(low.untouched());
  EXPECT_TRUE(high.untouched());
  EXPECT_EQ(it.digest(), "-");
  EXPECT_EQ(load(it.vm, file, 0, 0x2000, 0x1000), 0);
  EXPECT_EQ(load(it.vm, file, 0, 0x1000, 0x4000), 0);
}

TEST_F(Load, ASlotThatWentIsAFault) {
  const BareVm it;
  const Filled low(it.vm, 0, 0x1000, 0x2000);
  const Fd file = file_of(pattern(0x1000));
  ASSERT_EQ(load(it.vm, file, 0, 0x1000, 0x1000), 0);
  ASSERT_EQ(set_slot(it.vm, 0, 0, 0, 0), 0);
  EXPECT_EQ(load(it.vm, file, 0, 0x1000, 0x1000), -EFAULT);
  EXPECT_EQ(it.digest(), digest_text(pattern(0x1000))) << "the last successful one stays";
}

// Address space 1 is that of system management mode: not loaded into.
TEST_F(Load, TheOtherAddressSpaceIsNotMeant) {
  const BareVm it;
  if (ctl(it.vm, KVM_CHECK_EXTENSION, KVM_CAP_MULTI_ADDRESS_SPACE).value < 2) {
    GTEST_SKIP() << "this KVM has one address space";
  }
  const Filled smm(it.vm, 1U << 16, 0x1000, 0x1000);
  const Fd file = file_of(pattern(0x1000));
  EXPECT_EQ(load(it.vm, file, 0, 0x1000, 0x1000), -EFAULT);
  EXPECT_TRUE(smm.untouched());
  EXPECT_EQ(table().at(0).memory, 0x1000U) << "but counted";
}

// KVM keeps slots of its own for some machines; what lies there is not the guest's memory.
TEST_F(Load, SlotsOfKvmsOwnAreNotMeant) {
  const BareVm it;
  ASSERT_EQ(ctl(it.vm, KVM_SET_TSS_ADDR, 0xfffbd000), 0);
  ASSERT_EQ(ctl(it.vm, KVM_CREATE_IRQCHIP), 0);
  const Vcpu cpu(it.vm);
  ASSERT_TRUE(cpu.page.valid());
  cpu.run().immediate_exit = 1;
  EXPECT_EQ(cpu.enter(), -EINTR);
  const Fd file = file_of(pattern(0x1000));
  for (const std::uint64_t gpa : {0xfffbc000, 0xfffbd000, 0xfffbf000, 0xfee00000}) {
    EXPECT_EQ(load(it.vm, file, 0, 0x1000, gpa), -EFAULT) << std::hex << gpa;
  }
  EXPECT_EQ(table().at(0).memory, 0U);
}

TEST_F(Load, RangesThatWrapAreInvalid) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x2000);
  const Fd file = file_of(pattern(0x1000));
  constexpr std::uint64_t kTop = ~std::uint64_t{0};
  const struct {
    std::uint64_t offset, length, gpa;
  } rows[] = {
      {0, 0, 0},
      {0, kTop, 1},
      {0, kTop, kTop},
      {0, 2, kTop},
      {kTop, 1, 0},
      {kTop, 2, 0},
      {1, kTop, 0},
      {0, 1ULL << 63, 0},
      {1ULL << 63, 1, 0},
      {(1ULL << 63) - 1, 1, 0},
      {0x1000, kTop - 0xfff, 0x1000},
  };
  for (const auto& [offset, length, gpa] : rows) {
    EXPECT_EQ(load(it.vm, file, offset, length, gpa), -EINVAL)
        << std::hex << offset << "+" << length << " at " << gpa;
  }
  EXPECT_TRUE(low.untouched());
  EXPECT_EQ(it.digest(), "-");
}

TEST_F(Load, AFileThatIsTooShortIsNoData) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x4000);
  const Fd file = file_of(pattern(0x1000));
  const Fd empty = file_of({});
  for (const auto& [offset, length] : {std::pair<std::uint64_t, std::uint64_t>{0, 0x1001},
                                       {0xfff, 2},
                                       {0x1000, 1},
                                       {0x10000, 1},
                                       {0, 0x3000},
                                       {1ULL << 40, 1}}) {
    EXPECT_EQ(load(it.vm, file, offset, length, 0), -ENODATA) << offset << "+" << length;
  }
  EXPECT_EQ(load(it.vm, empty, 0, 1, 0), -ENODATA);
  EXPECT_TRUE(low.untouched());
  EXPECT_EQ(it.digest(), "-");
}

TEST_F(Load, OnlyRegularFilesOpenForReading) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x1000);
  const Fd directory(::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const Fd null(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd out(ends[0]);
  const Fd in(ends[1]);
  ASSERT_EQ(::write(in, "12345678", 8), 8);
  const Fd file = file_of(pattern(8));
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const Fd write_only(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  const Fd path_only(::open(path.c_str(), O_PATH | O_CLOEXEC));
  ASSERT_TRUE(write_only.valid() && path_only.valid());
  const struct {
    const char* what;
    int fd;
    int error;
  } rows[] = {
      {"a directory", directory, EINVAL},
      {"a character device", null, EINVAL},
      {"a pipe", out, EINVAL},
      {"the writing end of a pipe", in, EBADF},
      {"a file open for writing", write_only, EBADF},
      {"a path", path_only, EBADF},
      {"-1", -1, EBADF},
      {"a number that is not open", 4000, EBADF},
      {"INT_MIN", INT_MIN, EBADF},
      {"/dev/vmctl", it.system, EINVAL},
      {"the VM itself", it.vm, EINVAL},
  };
  for (const auto& row : rows) EXPECT_EQ(load(it.vm, row.fd, 0, 4, 0), -row.error) << row.what;
  EXPECT_TRUE(low.untouched());
  EXPECT_EQ(it.digest(), "-");
  EXPECT_EQ(load(it.vm, file, 0, 8, 0), 0);
}

// Files of the kernel's own say nothing true of their length: either refused with
// nothing written, or what was read is what stands there.
TEST_F(Load, FilesOfTheKernelAreRefusedOrRight) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x1000);
  for (const char* path :
       {"/proc/version", "/proc/self/maps", "/proc/self/mem", "/proc/kmsg",
        "/sys/module/vmctl/version", "/sys/kernel/mm/transparent_hugepage/enabled",
        "/proc/sys/kernel/osrelease"}) {
    const Fd file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file.valid()) continue;
    std::memset(low.memory.data(), 0xcc, low.memory.size());
    const std::string before = it.digest();
    vmctl_load_image result{};
    const Ret r = load(it.vm, file, 0, 4, 0, &result);
    if (r.ok()) {
      std::uint8_t read[4] = {};
      EXPECT_EQ(::pread(file, read, 4, 0), 4) << path;
      EXPECT_TRUE(std::equal(read, read + 4, low.memory.data())) << path;
      EXPECT_EQ(digest_text(result), digest_text(read)) << path;
    } else {
      EXPECT_TRUE(r == -ENODATA || r == -EINVAL || r == -EIO) << path << ": " << r;
      EXPECT_TRUE(low.untouched()) << path;
      EXPECT_EQ(it.digest(), before) << path;
    }
  }
}

TEST_F(Load, AFileThatCannotBeReadIsAnIoError) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x1000);
  // The loopback interface has no speed, and says so to whoever reads.
  const Fd file(::open("/sys/class/net/lo/speed", O_RDONLY | O_CLOEXEC));
  char byte = 0;
  if (!file.valid() || ::pread(file, &byte, 1, 0) >= 0) GTEST_SKIP() << "no such file to be had";
  EXPECT_EQ(load(it.vm, file, 0, 4, 0), -EIO);
  EXPECT_TRUE(low.untouched());
  EXPECT_EQ(it.digest(), "-");
}

TEST_F(Load, MemoryThatCannotBeWrittenIsAFault) {
  const BareVm it;
  const Fd file = file_of(pattern(0x3000));
  const Filled whole(it.vm, 0, 0, 0x3000);
  // The middle page, one way after the other.
  std::uint8_t* middle = whole.memory.data() + 0x1000;
  const auto faults = [&](const char* what) {
    for (const auto& [gpa, length] : {std::pair<std::uint64_t, std::uint64_t>{0, 0x3000},
                                      {0x1000, 1},
                                      {0xfff, 2},
                                      {0x1fff, 1}}) {
      EXPECT_EQ(load(it.vm, file, 0, length, gpa), -EFAULT) << what << " at " << gpa;
    }
    EXPECT_EQ(whole.memory.data()[0], 0xcc) << what << ": nothing is written before the check";
    EXPECT_EQ(whole.memory.data()[0x2000], 0xcc) << what;
  };
  ASSERT_EQ(::mprotect(middle, 0x1000, PROT_READ), 0);
  faults("read-only");
  ASSERT_EQ(::mprotect(middle, 0x1000, PROT_NONE), 0);
  faults("no access");
  ASSERT_EQ(::munmap(middle, 0x1000), 0);
  faults("unmapped");

  const Fd read_only_file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(::mmap(middle, 0x1000, PROT_READ, MAP_SHARED | MAP_FIXED, read_only_file, 0), middle);
  faults("a file mapped read-only");

  const Fd short_file = file_of({});
  ASSERT_EQ(::mmap(middle, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, short_file, 0),
            middle);
  faults("beyond the end of a file");

  ::mknod("/tmp/mem", S_IFCHR | 0600, ::makedev(1, 1));
  const Fd mem(::open("/tmp/mem", O_RDWR | O_CLOEXEC));
  ::unlink("/tmp/mem");
  if (::mmap(middle, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, mem, 0xa0000) ==
      middle) {
    faults("device memory");
  } else {
    std::cout << "no device memory to be had here: " << std::strerror(errno) << "\n";
    ASSERT_EQ(::mmap(middle, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
              middle);
  }
  EXPECT_EQ(it.digest(), "-");
}

// The guest may not write there, the loader may: that is how a ROM is filled.
TEST_F(Load, FillsASlotThatIsReadOnlyToTheGuest) {
  const BareVm it;
  const Mapping rom = Mapping::memory(0x1000);
  ASSERT_EQ(set_slot(it.vm, 0, 0xf0000, 0x1000, rom.address(), KVM_MEM_READONLY), 0);
  const Bytes image = pattern(0x1000);
  EXPECT_EQ(load(it.vm, file_of(image), 0, image.size(), 0xf0000), 0);
  EXPECT_TRUE(std::equal(image.begin(), image.end(), rom.data()));
}

TEST_F(Load, FillsSharedAndHugePagesAndFiles) {
  const BareVm it;
  const Bytes image = pattern(0x5000);
  const Fd file = file_of(image);
  const Fd backing(::memfd_create("guest", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(backing, 0x8000), 0);
  const Mapping shared(0x8000, PROT_READ | PROT_WRITE, MAP_SHARED, backing);
  ASSERT_EQ(set_slot(it.vm, 0, 0, 0x8000, shared.address()), 0);
  ASSERT_EQ(load(it.vm, file, 0, image.size(), 0x1001), 0);
  Bytes stored(image.size());
  ASSERT_EQ(::pread(backing, stored.data(), stored.size(), 0x1001),
            static_cast<ssize_t>(stored.size()));
  EXPECT_EQ(stored, image) << "in the file behind it";

  const Mapping large = Mapping::memory(8 << 20);
  ::madvise(large.data(), large.size(), MADV_HUGEPAGE);
  ASSERT_EQ(set_slot(it.vm, 1, 0x1000000, large.size(), large.address()), 0);
  ASSERT_EQ(load(it.vm, file, 0, image.size(), 0x1000000 + (2 << 20) - 0x2003), 0);
  EXPECT_TRUE(std::equal(image.begin(), image.end(), large.data() + (2 << 20) - 0x2003));
}

// Memory that a fork shares copy-on-write: the child keeps its own.
TEST_F(Load, DoesNotWriteIntoPagesSharedWithAChild) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x2000);
  const Fd file = file_of(pattern(0x2000));
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  Fd out(ends[0]);
  Fd in(ends[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    in.close();
    char byte = 0;
    if (::read(out, &byte, 1) < 0) ::_exit(2);
    ::_exit(low.untouched() ? 0 : 1);
  }
  EXPECT_EQ(load(it.vm, file, 0, 0x2000, 0), 0);
  EXPECT_FALSE(low.untouched());
  in.close();
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(Load, AChildGetsEio) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x1000);
  const Fd file = file_of(pattern(0x1000));
  EXPECT_EQ(in_child([&]() -> std::string {
              NEED_EQ(load(it.vm, file, 0, 0x1000, 0), -EIO);
              NEED(low.untouched());
              return "";
            }),
            "");
  EXPECT_TRUE(low.untouched());
  EXPECT_EQ(it.digest(), "-");
}

TEST_F(Load, OnARevokedVmIsNoDevice) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x1000);
  const Fd file = file_of(pattern(0x1000));
  ASSERT_EQ(load(it.vm, file, 0, 0x800, 0), 0);
  ASSERT_EQ(revoke(it.system, it.id), 0);
  EXPECT_EQ(load(it.vm, file, 0, 0x1000, 0), -ENODEV);
  EXPECT_EQ(low.memory.data()[0x800], 0xcc);
  EXPECT_EQ(it.digest(), digest_text(pattern(0x800)));
}

// Where the answer cannot be given the command failed, so nothing has changed.
TEST_F(Load, WithoutRoomForTheAnswerNothingIsLoaded) {
  const BareVm it;
  const Filled low(it.vm, 0, 0, 0x1000);
  const Fd file = file_of(pattern(0x1000));
  const Mapping page = Mapping::memory(page_size());
  auto* image = reinterpret_cast<vmctl_load_image*>(page.data());
  image->fd = file;
  image->length = 0x1000;
  ASSERT_EQ(::mprotect(page.data(), page.size(), PROT_READ), 0);
  EXPECT_EQ(ctl(it.vm, VMCTL_LOAD_IMAGE, image), -EFAULT);
  EXPECT_TRUE(low.untouched());
  EXPECT_EQ(it.digest(), "-");
}

}  // namespace
