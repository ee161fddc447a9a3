// SPDX-License-Identifier: GPL-2.0-only
//
// vmctl's own commands and table, and the fixtures that leave nothing behind.
#pragma once

#include <gtest/gtest.h>
#include <linux/vmctl.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "machine.hpp"

namespace t {

struct Row {
  std::uint32_t id = 0;
  long pid = 0;
  std::uint32_t uid = 0;
  std::string name;
  std::string state;
  std::uint32_t vcpus = 0;
  std::uint64_t memory = 0;
  std::uint64_t exits = 0;
  std::string image;
};

// A line of the table; nothing where it is not of the documented form.
std::optional<Row> parse_row(const std::string& line);
// The table as a new opener sees it. A line of another form fails the running test.
std::vector<Row> table();
std::optional<Row> row_of(std::uint32_t id);

// VMCTL_CREATE_VM. The id goes to *id where that is not null.
Ret create_vm(int system, std::string_view name, std::uint32_t* id = nullptr,
              std::uint32_t flags = 0);
Ret revoke(int system, std::uint32_t id);
Ret load(int vm, int file, std::uint64_t offset, std::uint64_t length, std::uint64_t gpa,
         vmctl_load_image* result = nullptr);
Ret stats(int fd, std::uint32_t id, std::uint32_t vcpu, vmctl_stats* result);

// A machine made by VMCTL_CREATE_VM.
Machine named(const Bytes& code, std::string_view name, std::uint32_t* id = nullptr,
              std::uint32_t flags = 0);

// Folders of VMs in KVM's debugfs, which is mounted where it was not.
std::vector<std::string> kvm_debug_folders();

// At the end of each test no VM is left: not in the table, not in KVM, not as a descriptor.
class Kept : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

 private:
  std::optional<std::vector<int>> fds_;  // not there where the test was skipped
};

// What only vmctl has: skipped on raw KVM.
class Own : public Kept {
 protected:
  void SetUp() override;
};

}  // namespace t
