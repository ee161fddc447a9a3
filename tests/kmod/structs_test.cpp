// SPDX-License-Identifier: GPL-2.0-only
//
// What holds for the structure of each own command: it may be longer when its
// tail is zero, never shorter, never half in memory; padding and flags count.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <memory>
#include <sstream>

#include "driver.hpp"

namespace {

using namespace t;

// What a command can be given: a machine that lives as long as the test.
struct Room {
  std::uint32_t id = 0;
  Machine machine = named(guest::halt(), "room", &id);
  Fd file{::memfd_create("image", MFD_CLOEXEC)};

  Room() {
    if (::write(file, "image", 5) != 5) file.close();
  }
};

enum class On { kSystem, kVm };

struct OwnCommand {
  const char* name;
  unsigned long number;
  On on;
  void (*fill)(const Room&, void*);  // valid arguments into zeroed memory
  bool makes_fd;

  [[nodiscard]] std::size_t size() const { return _IOC_SIZE(number); }
  [[nodiscard]] bool reads() const { return (_IOC_DIR(number) & _IOC_WRITE) != 0; }
  [[nodiscard]] bool writes() const { return (_IOC_DIR(number) & _IOC_READ) != 0; }
  [[nodiscard]] unsigned long sized(std::size_t bytes) const {
    return _IOC(_IOC_DIR(number), _IOC_TYPE(number), _IOC_NR(number), bytes);
  }
  [[nodiscard]] int fd(const Room& room) const {
    return on == On::kSystem ? room.machine.system : room.machine.vm;
  }
};

void PrintTo(const OwnCommand& command, std::ostream* out) {
  *out << command.name;
}

const OwnCommand kOwnCommands[] = {
    {"GET_INFO", VMCTL_GET_INFO, On::kSystem, [](const Room&, void*) {}, false},
    {"CREATE_VM", VMCTL_CREATE_VM, On::kSystem,
     [](const Room&, void* to) { std::strcpy(static_cast<vmctl_create_vm*>(to)->name, "made"); },
     true},
    {"LOAD_IMAGE", VMCTL_LOAD_IMAGE, On::kVm,
     [](const Room& room, void* to) {
       auto* load = static_cast<vmctl_load_image*>(to);
       load->fd = room.file;
       load->length = 5;
     },
     false},
    {"GET_STATS", VMCTL_GET_STATS, On::kSystem,
     [](const Room& room, void* to) {
       auto* stats = static_cast<vmctl_stats*>(to);
       stats->id = room.id;
       stats->vcpu = VMCTL_ALL_VCPUS;
     },
     false},
    // Last: the machine is of no use afterwards, and revoking it again succeeds.
    {"REVOKE_VM", VMCTL_REVOKE_VM, On::kSystem,
     [](const Room& room, void* to) { static_cast<vmctl_revoke_vm*>(to)->id = room.id; }, false},
};

class Structs : public Own, public ::testing::WithParamInterface<OwnCommand> {
 protected:
  // Calls, and closes the fd that a success may have made.
  static Ret call(const Room& room, unsigned long number, void* argument) {
    const Ret r = ctl(GetParam().fd(room), number, argument);
    if (r.ok() && GetParam().makes_fd) Fd(r).close();
    return r.ok() ? Ret(0) : r;
  }
  // After a failure: no fd, no other VM.
  static void expect_nothing_made(const std::vector<int>& fds) {
    EXPECT_EQ(open_fds(), fds);
    EXPECT_EQ(table().size(), 1U);
  }
};

TEST_P(Structs, ShorterIsInvalid) {
  const Room room;
  ASSERT_EQ(room.machine.built, 0);
  alignas(8) std::array<std::uint8_t, 1024> memory{};
  GetParam().fill(room, memory.data());
  const auto fds = open_fds();
  for (std::size_t size = 0; size < GetParam().size(); ++size) {
    EXPECT_EQ(call(room, GetParam().sized(size), memory.data()), -EINVAL) << size;
  }
  expect_nothing_made(fds);
  EXPECT_EQ(call(room, GetParam().number, memory.data()), 0);
}

TEST_P(Structs, LongerWithAZeroTailIsTaken) {
  const Room room;
  const std::size_t size = GetParam().size();
  const auto memory = std::make_unique<std::array<std::uint8_t, 1 << 14>>();
  for (const std::size_t longer :
       {size + 1, size + 7, size + 8, std::size_t{4096}, std::size_t{16383}}) {
    memory->fill(0);
    GetParam().fill(room, memory->data());
    EXPECT_EQ(call(room, GetParam().sized(longer), memory->data()), 0) << longer;
    EXPECT_EQ(std::count(memory->begin() + static_cast<std::ptrdiff_t>(size), memory->end(), 0),
              static_cast<std::ptrdiff_t>(memory->size() - size))
        << "what is not known comes back as zero";
  }
}

TEST_P(Structs, LongerWithSomethingInItsTailIsTooBig) {
  if (!GetParam().reads()) {
    // Only written: the tail is not looked at, and comes back as zero.
    const Room room;
    alignas(8) std::array<std::uint8_t, 128> memory{};
    memory.fill(0xcc);
    EXPECT_EQ(call(room, GetParam().sized(100), memory.data()), 0);
    EXPECT_EQ(std::count(memory.begin() + static_cast<std::ptrdiff_t>(GetParam().size()),
                         memory.begin() + 100, 0),
              100 - static_cast<std::ptrdiff_t>(GetParam().size()));
    EXPECT_EQ(std::count(memory.begin() + 100, memory.end(), 0xcc), 28);
    return;
  }
  const Room room;
  const std::size_t size = GetParam().size();
  alignas(8) std::array<std::uint8_t, 1024> memory{};
  GetParam().fill(room, memory.data());
  const auto fds = open_fds();
  for (std::size_t byte = size; byte < size + 40; ++byte) {
    memory[byte] = 1;
    EXPECT_EQ(call(room, GetParam().sized(size + 40), memory.data()), -E2BIG) << byte;
    memory[byte] = 0;
  }
  memory[size + 40] = 1;  // behind the structure: not ours
  expect_nothing_made(fds);
  EXPECT_EQ(call(room, GetParam().sized(size + 40), memory.data()), 0);
}

// The structure lies across the end, and then the beginning, of what is mapped.
TEST_P(Structs, PartlyUnmappedIsAFault) {
  const Room room;
  const std::size_t size = GetParam().size();
  const std::size_t page = page_size();
  const Mapping pages = Mapping::memory(3 * page);
  ASSERT_EQ(::mprotect(pages.data(), page, PROT_NONE), 0);
  ASSERT_EQ(::mprotect(pages.data() + 2 * page, page, PROT_NONE), 0);
  std::uint8_t* middle = pages.data() + page;
  alignas(8) std::array<std::uint8_t, 1024> valid{};
  GetParam().fill(room, valid.data());
  const auto fds = open_fds();
  for (std::size_t inside = 0; inside < size; ++inside) {
    std::copy_n(valid.data(), inside, middle + page - inside);
    EXPECT_EQ(call(room, GetParam().number, middle + page - inside), -EFAULT) << inside;
    std::copy_n(valid.data() + size - inside, inside, middle);
    EXPECT_EQ(call(room, GetParam().number, middle + inside - size), -EFAULT) << inside;
  }
  std::copy_n(valid.data(), size, middle + page - size);
  for (const std::size_t more : {1, 8, 100}) {
    EXPECT_EQ(call(room, GetParam().sized(size + more), middle + page - size), -EFAULT)
        << "a tail of " << more;
  }
  expect_nothing_made(fds);
  EXPECT_EQ(call(room, GetParam().number, middle + page - size), 0) << "up to the very end";
}

TEST_P(Structs, NoMemoryIsAFault) {
  const Room room;
  const auto fds = open_fds();
  const std::uintptr_t top = sizeof(void*) == 8 ? ~std::uintptr_t{0} : 0xffffffff;
  for (const std::uintptr_t address :
       {std::uintptr_t{0}, std::uintptr_t{1}, top, top - 7, top / 2 + 1, top - GetParam().size()}) {
    EXPECT_EQ(
        call(room, GetParam().number, address == 0 ? nullptr : reinterpret_cast<void*>(address)),
        -EFAULT)
        << std::hex << address;
  }
  expect_nothing_made(fds);
}

// Readable but not writable: the work is undone when the answer cannot be given.
TEST_P(Structs, ReadOnlyMemoryIsAFaultWhereAnAnswerIsWritten) {
  const Room room;
  const Mapping page = Mapping::memory(page_size());
  GetParam().fill(room, page.data());
  ASSERT_EQ(::mprotect(page.data(), page.size(), PROT_READ), 0);
  const auto fds = open_fds();
  EXPECT_EQ(call(room, GetParam().number, page.data()), GetParam().writes() ? -EFAULT : 0);
  expect_nothing_made(fds);
  EXPECT_TRUE(eventually([] { return kvm_debug_folders().size() <= 1; }));
}

TEST_P(Structs, UnalignedIsTaken) {
  const Room room;
  alignas(8) std::array<std::uint8_t, 1024> valid{};
  std::array<std::uint8_t, 1024> memory{};
  GetParam().fill(room, valid.data());
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::copy_n(valid.data(), GetParam().size(), memory.data() + shift);
    EXPECT_EQ(call(room, GetParam().number, memory.data() + shift), 0) << shift;
  }
}

// Another direction of the same number is another command.
TEST_P(Structs, DirectionIsPartOfTheNumber) {
  const Room room;
  alignas(8) std::array<std::uint8_t, 1024> memory{};
  GetParam().fill(room, memory.data());
  for (unsigned direction = 0; direction < 4; ++direction) {
    if (direction == _IOC_DIR(GetParam().number)) continue;
    EXPECT_EQ(
        call(room, _IOC(direction, VMCTL_IOC_MAGIC, _IOC_NR(GetParam().number), GetParam().size()),
             memory.data()),
        -ENOTTY)
        << direction;
  }
}

INSTANTIATE_TEST_SUITE_P(EachCommand, Structs, ::testing::ValuesIn(kOwnCommands),
                         [](const auto& each) { return std::string(each.param.name); });

// One bit at a time in what must be zero.
struct Zero {
  const char* what;
  const OwnCommand* command;
  std::size_t offset;
  std::size_t size;
  std::uint64_t allowed;  // bits that mean something
};

const Zero kZeros[] = {
    {"CREATE_VM flags", &kOwnCommands[1], offsetof(vmctl_create_vm, flags), 4, VMCTL_VM_TIME_RUN},
    {"CREATE_VM id", &kOwnCommands[1], offsetof(vmctl_create_vm, id), 4, 0},
    {"LOAD_IMAGE flags", &kOwnCommands[2], offsetof(vmctl_load_image, flags), 4, 0},
    {"GET_STATS flags", &kOwnCommands[3], offsetof(vmctl_stats, flags), 4, 0},
    {"GET_STATS vcpus", &kOwnCommands[3], offsetof(vmctl_stats, vcpus), 4, 0},
    {"REVOKE_VM flags", &kOwnCommands[4], offsetof(vmctl_revoke_vm, flags), 4, 0},
};

class Zeros : public Own {};

TEST_F(Zeros, EachBitThatMeansNothingIsInvalid) {
  const Room room;
  const auto fds = open_fds();
  for (const Zero& zero : kZeros) {
    for (std::size_t bit = 0; bit < 8 * zero.size; ++bit) {
      if ((zero.allowed >> bit & 1) != 0) continue;
      alignas(8) std::array<std::uint8_t, 1024> memory{};
      zero.command->fill(room, memory.data());
      memory[zero.offset + bit / 8] = static_cast<std::uint8_t>(1 << bit % 8);
      EXPECT_EQ(ctl(zero.command->fd(room), zero.command->number, memory.data()), -EINVAL)
          << zero.what << " bit " << bit;
    }
  }
  EXPECT_EQ(open_fds(), fds);
  EXPECT_EQ(table().size(), 1U);
  EXPECT_EQ(table().front().state, "active") << "nothing was revoked";
}

}  // namespace
