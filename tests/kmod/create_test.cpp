// SPDX-License-Identifier: GPL-2.0-only
//
// VMCTL_GET_INFO and VMCTL_CREATE_VM: what they say, and names of any bytes.
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "driver.hpp"
#include "kmsg.hpp"

namespace {

using namespace t;

class Info : public Own {};
class Create : public Own {};

TEST_F(Info, SaysWhatItIs) {
  const Fd system = open_device();
  auto info = poisoned<vmctl_info>();
  ASSERT_EQ(ctl(system, VMCTL_GET_INFO, &info), 0);
  EXPECT_EQ(info.abi_version, unsigned{VMCTL_ABI_VERSION});
  EXPECT_EQ(info.kvm_api_version, 12U);
  EXPECT_EQ(info.kvm_errno, 0U);
  EXPECT_EQ(info.vms, 0U);
  EXPECT_EQ(info.vcpus, 0U);
  EXPECT_EQ(info.reserved, 0U);
  const std::size_t length = ::strnlen(info.version, sizeof info.version);
  ASSERT_LT(length, sizeof info.version);
  EXPECT_EQ(std::string(info.version) + "\n", slurp("/sys/module/vmctl/version"));
  for (std::size_t i = length; i < sizeof info.version; ++i) EXPECT_EQ(info.version[i], 0) << i;
}

TEST_F(Info, CountsVmsAndVcpus) {
  const Fd system = open_device();
  const auto counts = [&] {
    auto info = poisoned<vmctl_info>();
    EXPECT_EQ(ctl(system, VMCTL_GET_INFO, &info), 0);
    return std::pair(info.vms, info.vcpus);
  };
  using Counts = std::pair<unsigned, unsigned>;
  Machine one(guest::halt());
  EXPECT_EQ(counts(), Counts(1, 1));
  Machine two = named(guest::halt(), "two");
  Vcpu second(two.vm, 1);
  EXPECT_EQ(counts(), Counts(2, 3));
  second = Vcpu();
  EXPECT_EQ(counts(), Counts(2, 2));
  one = Machine({}, Fd(), guest::halt());
  EXPECT_TRUE(eventually([&] { return counts() == Counts(1, 1); }));
}

TEST_F(Create, GivesAnIdAndRuns) {
  const Fd system = open_device();
  vmctl_create_vm create{};
  std::strcpy(create.name, "first");
  const Fd vm(ctl(system, VMCTL_CREATE_VM, &create));
  ASSERT_TRUE(vm.valid());
  EXPECT_NE(create.id, 0U);
  EXPECT_EQ(create.machine_type, 0U);
  EXPECT_EQ(create.flags, 0U);
  EXPECT_STREQ(create.name, "first");
  const auto rows = table();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].id, create.id);
  EXPECT_EQ(rows[0].pid, ::getpid());
  EXPECT_EQ(rows[0].uid, ::getuid());
  EXPECT_EQ(rows[0].name, "first");
  EXPECT_EQ(rows[0].state, "active");
  EXPECT_EQ(rows[0].vcpus, 0U);
  EXPECT_EQ(rows[0].memory, 0U);
  EXPECT_EQ(rows[0].exits, 0U);
  EXPECT_EQ(rows[0].image, "-");
  Machine machine({}, Fd(::dup(vm)), guest::add());
  std::string out;
  EXPECT_EQ(machine.run(&out), 0);
  EXPECT_EQ(out, "4\n");
}

TEST_F(Create, RefusesUnknownMachineTypes) {
  const Fd system = open_device();
  vmctl_create_vm create{};
  // 1 << 32: the number is not cut to 32 bits, where the kernel's own is wider.
  for (const std::uint64_t type : {~std::uint64_t{0}, std::uint64_t{0x80000000}}) {
    create.machine_type = type;
    EXPECT_EQ(ctl(system, VMCTL_CREATE_VM, &create), -EINVAL) << type;
    EXPECT_EQ(create.id, 0U);
  }
  create.machine_type = std::uint64_t{1} << 32;
  EXPECT_EQ(ctl(system, VMCTL_CREATE_VM, &create), -EINVAL);
  EXPECT_TRUE(table().empty());
}

TEST_F(Create, RefusesANameWithoutEnd) {
  const Fd system = open_device();
  vmctl_create_vm create{};
  std::memset(create.name, 'a', sizeof create.name);
  EXPECT_EQ(ctl(system, VMCTL_CREATE_VM, &create), -EINVAL);
  EXPECT_TRUE(table().empty());
  create.name[sizeof create.name - 1] = 0;
  const Fd vm(ctl(system, VMCTL_CREATE_VM, &create));
  ASSERT_TRUE(vm.valid());
  EXPECT_EQ(table().at(0).name, std::string(VMCTL_NAME_SIZE - 1, 'a'));
}

// All but printable ASCII, and backslash, space and double quote, as octal escapes.
std::string escaped(const std::string& name) {
  std::string shown;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && byte < 0x7f && c != '\\' && c != '"') {
      shown += c;
    } else {
      char octal[5];
      std::snprintf(octal, sizeof octal, "\\%03o", byte);
      shown += octal;
    }
  }
  return shown.empty() ? "-" : shown;
}

// There is room for the answer when the command looks, and none any more when it is to be written.
TEST_F(Create, AnAnswerThatFindsNoRoomAnyMoreMakesNothing) {
  const Fd system = open_device();
  const Mapping page = Mapping::memory(page_size());
  auto* const create = reinterpret_cast<vmctl_create_vm*>(page.data());
  const auto fds = open_fds();
  std::uint32_t last = 0;
  Fd(create_vm(system, "before", &last)).close();
  unsigned wasted = 0;
  for (unsigned i = 0; i < 2000 && wasted < 3; ++i) {
    *create = {};
    std::atomic<bool> begun = false;
    std::thread closer([&] {
      begun = true;
      for (unsigned spins = 0; spins < 300 * (i % 200); ++spins)
        std::atomic_signal_fence(std::memory_order_seq_cst);
      ::mprotect(page.data(), page.size(), PROT_READ);
    });
    while (!begun) std::this_thread::yield();
    const Ret r = ctl(system, VMCTL_CREATE_VM, create);
    closer.join();
    ASSERT_EQ(::mprotect(page.data(), page.size(), PROT_READ | PROT_WRITE), 0);
    if (r.ok()) {
      Fd(r).close();
    } else {
      ASSERT_EQ(r, -EFAULT);
    }
    ASSERT_EQ(open_fds(), fds);
    // Each VM that was begun has taken an id.
    std::uint32_t now = 0;
    Fd(create_vm(system, "after", &now)).close();
    if (!r.ok() && now - last == 2) ++wasted;
    last = now;
  }
  EXPECT_EQ(wasted, 3U) << "so often a VM was made and had to go again";
  EXPECT_EQ(table().size(), 0U);
}

TEST_F(Create, ShowsAnyNameOnOneLine) {
  EXPECT_EQ(escaped("a\n\x1b[31m \"\\\xff"), R"(a\012\033[31m\040\042\134\377)");
  std::vector<std::string> names = {
      "",
      "-",
      "plain",
      "two words",
      "a\nb",
      "\x1b[31mred",
      "\"",
      "\\",
      "tab\t",
      "\r\n",
      "%s%n",
      "\x7f",
      "\\n",
      "caf\xc3\xa9",
      "'x' $(y)",
      "1 2 3 4 5 6 7 8 9",
      std::string(VMCTL_NAME_SIZE - 1, '\xff'),
  };
  std::string all;
  for (int byte = 1; byte < 256; ++byte) {
    all += static_cast<char>(byte);
    if (all.size() == VMCTL_NAME_SIZE - 1 || byte == 255) names.push_back(std::exchange(all, ""));
  }
  const Fd system = open_device();
  wait_for_room_in_the_log();
  KernelLog log;
  for (const std::string& name : names) {
    const Fd vm(create_vm(system, name));
    ASSERT_TRUE(vm.valid());
    const std::string text = slurp("/dev/vmctl");
    ASSERT_EQ(lines_of(text).size(), 1U) << text;
    const auto row = parse_row(lines_of(text)[0]);
    ASSERT_TRUE(row) << text;
    EXPECT_EQ(row->name, escaped(name));
    EXPECT_EQ(text.back(), '\n');
  }
  // The kernel log has each of them on one line as well, without control bytes.
  EXPECT_TRUE(log.shows(R"(two\\040words)")) << log.seen();
  for (const KernelLine& line : log.fresh()) {
    for (const char c : line.text) EXPECT_TRUE(c >= ' ' && c < 0x7f) << line.text;
  }
}

TEST_F(Create, NamesNeedNotBeUnique) {
  const Fd system = open_device();
  const Fd one(create_vm(system, "same"));
  const Fd two(create_vm(system, "same"));
  const auto rows = table();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].name, rows[1].name);
  EXPECT_NE(rows[0].id, rows[1].id);
}

// What stands behind the name's end is not shown.
TEST_F(Create, TheNameEndsAtItsNul) {
  const Fd system = open_device();
  vmctl_create_vm create{};
  std::memset(create.name, 'z', sizeof create.name);
  std::strcpy(create.name, "short");
  const Fd vm(ctl(system, VMCTL_CREATE_VM, &create));
  ASSERT_TRUE(vm.valid());
  EXPECT_EQ(table().at(0).name, "short");
}

}  // namespace
