// SPDX-License-Identifier: GPL-2.0-only
//
// read() and lseek(): the table of VMs, in any portions.
#include <fcntl.h>

#include <algorithm>

#include "driver.hpp"

namespace {

using namespace t;

class Table : public Own {};

// All that comes in portions of one size.
std::string in_portions(int fd, std::size_t size) {
  std::string text;
  std::vector<char> part(size);
  for (ssize_t n = 0; (n = ::read(fd, part.data(), size)) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(n));
  }
  return text;
}

TEST_F(Table, IsEmptyWithoutVms) {
  const Fd fd = open_device();
  char byte = 'x';
  EXPECT_EQ(::read(fd, &byte, 1), 0);
  EXPECT_EQ(::read(fd, &byte, 1), 0);
  EXPECT_EQ(byte, 'x');
}

TEST_F(Table, HasALineForEachVm) {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  const Machine one = named(guest::outs(3), "one", &first);
  const Machine two = named(guest::halt(), "two", &second);
  const Vcpu more(two.vm, 1);
  const Mapping high = Mapping::memory(0x3000);
  ASSERT_EQ(set_slot(two.vm, 1, 0x100000, 0x3000, high.address()), 0);
  ASSERT_EQ(one.run(), 0);
  const std::string self = std::to_string(::getpid()) + " 0 ";
  EXPECT_EQ(slurp("/dev/vmctl"), std::to_string(first) + " " + self + "one active 1 65536 4 -\n" +
                                     std::to_string(second) + " " + self +
                                     "two active 2 77824 0 -\n");
  ASSERT_EQ(set_slot(two.vm, 1, 0, 0, 0), 0);
  EXPECT_EQ(row_of(second)->memory, 65536U);
}

TEST_F(Table, ComesInAnyPortions) {
  std::vector<Machine> machines;
  machines.reserve(5);
  for (int i = 0; i < 5; ++i)
    machines.push_back(named(guest::halt(), "portion\n" + std::to_string(i)));
  const std::string whole = slurp("/dev/vmctl");
  ASSERT_EQ(std::count(whole.begin(), whole.end(), '\n'), 5);
  for (const std::size_t size : {1UL, 2UL, 3UL, 7UL, 63UL, 64UL, 4095UL, 4096UL, 4097UL, 65536UL}) {
    const Fd fd = open_device();
    EXPECT_EQ(in_portions(fd, size), whole) << size;
    char byte = 0;
    EXPECT_EQ(::read(fd, &byte, 1), 0) << "the end stays the end";
  }
  const Fd fd = open_device();
  EXPECT_EQ(::read(fd, nullptr, 0), 0);
  const Mapping forbidden(page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS);
  EXPECT_EQ(Ret::of(::read(fd, forbidden.data(), 10)), -EFAULT);
  EXPECT_EQ(in_portions(fd, 100), whole) << "a bad pointer took nothing";
}

TEST_F(Table, IsReadableAtAnyOffset) {
  const Machine machine = named(guest::halt(), "offset");
  const std::string whole = slurp("/dev/vmctl");
  const Fd fd = open_device();
  for (const std::size_t at : {std::size_t{0}, std::size_t{1}, whole.size() / 2, whole.size() - 1,
                               whole.size(), whole.size() + 1, std::size_t{1} << 30}) {
    std::string part(whole.size() + 10, '\xcc');
    const ssize_t n = ::pread(fd, part.data(), part.size(), static_cast<off_t>(at));
    ASSERT_GE(n, 0) << at;
    part.resize(static_cast<std::size_t>(n));
    EXPECT_EQ(part, at < whole.size() ? whole.substr(at) : "") << at;
  }
  char byte = 0;
  EXPECT_EQ(Ret::of(::pread(fd, &byte, 1, -1)), -EINVAL);
}

TEST_F(Table, SeeksFromItsStartAndFromWhereItStands) {
  const Machine machine = named(guest::halt(), "seek");
  const std::string whole = slurp("/dev/vmctl");
  const Fd fd = open_device();
  char part[4] = {};
  EXPECT_EQ(::lseek(fd, 0, SEEK_CUR), 0);
  ASSERT_EQ(::read(fd, part, 3), 3);
  EXPECT_EQ(::lseek(fd, 0, SEEK_CUR), 3);
  EXPECT_EQ(::lseek(fd, 2, SEEK_SET), 2);
  ASSERT_EQ(::read(fd, part, 3), 3);
  EXPECT_EQ(std::string(part, 3), whole.substr(2, 3));
  EXPECT_EQ(::lseek(fd, -4, SEEK_CUR), 1);
  EXPECT_EQ(in_portions(fd, 10), whole.substr(1));
  EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
  EXPECT_EQ(in_portions(fd, 10), whole);
  EXPECT_EQ(Ret::of(::lseek(fd, -1, SEEK_SET)), -EINVAL);
  EXPECT_EQ(Ret::of(::lseek(fd, 0, SEEK_END)), -EINVAL) << "it has no end that would stay";
  EXPECT_EQ(Ret::of(::lseek(fd, 0, 99)), -EINVAL);
}

// What is served is what was taken at offset 0, however long the reading takes.
TEST_F(Table, StaysAsItWasTaken) {
  Machine one = named(guest::outs(2), "one");
  const Fd fd = open_device();
  const std::string before = slurp("/dev/vmctl");
  char first = 0;
  ASSERT_EQ(::read(fd, &first, 1), 1);
  ASSERT_EQ(one.run(), 0);
  Machine two = named(guest::halt(), "two");
  EXPECT_EQ(first + in_portions(fd, 7), before);
  EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
  const std::string after = in_portions(fd, 7);
  EXPECT_NE(after, before);
  EXPECT_EQ(after, slurp("/dev/vmctl"));
  EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
  ASSERT_EQ(::read(fd, &first, 1), 1);
  one = Machine({}, Fd(), {});
  two = Machine({}, Fd(), {});
  EXPECT_TRUE(eventually([] { return table().empty(); }));
  EXPECT_EQ(first + in_portions(fd, 7), after) << "VMs that have ended since";
}

// More than one page of table.
TEST_F(Table, MayBeLong) {
  constexpr std::size_t kVms = 30;
  const Fd system = open_device();
  std::vector<Fd> vms;
  const std::string name(VMCTL_NAME_SIZE - 1, '\xff');
  for (std::size_t i = 0; i < kVms; ++i) vms.emplace_back(create_vm(system, name));
  const std::string text = in_portions(system, 100);
  EXPECT_GT(text.size(), 2 * page_size());
  EXPECT_EQ(lines_of(text).size(), kVms);
  for (const std::string& line : lines_of(text)) EXPECT_TRUE(parse_row(line)) << line;
}

}  // namespace
