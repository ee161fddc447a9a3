// SPDX-License-Identifier: GPL-2.0-only
#include "driver.hpp"

#include <sys/mount.h>

#include <cctype>
#include <cstring>
#include <regex>

#include "kmsg.hpp"

namespace t {

std::optional<Row> parse_row(const std::string& line) {
  static const std::regex form(
      R"((\d+) (\d+) (\d+) ([!-~]+) (active|revoked) (\d+) (\d+) (\d+) (-|sha256:[0-9a-f]{64}))");
  std::smatch part;
  if (!std::regex_match(line, part, form)) return std::nullopt;
  return Row{.id = static_cast<std::uint32_t>(std::stoul(part[1])),
             .pid = std::stol(part[2]),
             .uid = static_cast<std::uint32_t>(std::stoul(part[3])),
             .name = part[4],
             .state = part[5],
             .vcpus = static_cast<std::uint32_t>(std::stoul(part[6])),
             .memory = std::stoull(part[7]),
             .exits = std::stoull(part[8]),
             .image = part[9]};
}

std::vector<Row> table() {
  std::vector<Row> rows;
  for (const std::string& line : lines_of(slurp("/dev/vmctl"))) {
    if (auto row = parse_row(line)) {
      rows.push_back(*row);
    } else {
      ADD_FAILURE() << "not a line of the table: " << line;
    }
  }
  return rows;
}

std::optional<Row> row_of(std::uint32_t id) {
  for (const Row& row : table()) {
    if (row.id == id) return row;
  }
  return std::nullopt;
}

Ret create_vm(int system, std::string_view name, std::uint32_t* id, std::uint32_t flags) {
  vmctl_create_vm create{};
  create.flags = flags;
  name.copy(create.name, sizeof create.name);
  const Ret r = ctl(system, VMCTL_CREATE_VM, &create);
  if (r.ok() && id != nullptr) *id = create.id;
  return r;
}

Ret revoke(int system, std::uint32_t id) {
  const vmctl_revoke_vm command{.id = id, .flags = 0};
  return ctl(system, VMCTL_REVOKE_VM, &command);
}

Ret load(int vm, int file, std::uint64_t offset, std::uint64_t length, std::uint64_t gpa,
         vmctl_load_image* result) {
  vmctl_load_image image{};
  std::memset(image.sha256, 0xcc, sizeof image.sha256);
  image.fd = file;
  image.offset = offset;
  image.length = length;
  image.gpa = gpa;
  const Ret r = ctl(vm, VMCTL_LOAD_IMAGE, &image);
  if (result != nullptr) *result = image;
  return r;
}

Ret stats(int fd, std::uint32_t id, std::uint32_t vcpu, vmctl_stats* result) {
  *result = poisoned<vmctl_stats>();
  result->id = id;
  result->vcpu = vcpu;
  result->flags = 0;
  result->vcpus = 0;
  return ctl(fd, VMCTL_GET_STATS, result);
}

Machine named(const Bytes& code, std::string_view name, std::uint32_t* id, std::uint32_t flags) {
  Fd system = open_device();
  Fd vm(create_vm(system, name, id, flags));
  return {std::move(system), std::move(vm), code};
}

std::vector<std::string> kvm_debug_folders() {
  const std::string root = "/sys/kernel/debug";
  if (entries_of(root).empty()) ::mount("debugfs", root.c_str(), "debugfs", 0, nullptr);
  std::vector<std::string> folders;
  for (std::string& name : entries_of(root + "/kvm")) {
    if (std::isdigit(static_cast<unsigned char>(name[0])) != 0) folders.push_back(std::move(name));
  }
  return folders;
}

void Kept::SetUp() {
  fds_ = open_fds();
  ASSERT_TRUE(open_device().valid()) << device() << ": " << std::strerror(errno);
}

void Kept::TearDown() {
  if (!fds_) return;
  EXPECT_TRUE(eventually([] { return slurp("/dev/vmctl").empty(); })) << "VMs are left:\n"
                                                                      << slurp("/dev/vmctl");
  EXPECT_TRUE(eventually([] { return kvm_debug_folders().empty(); }))
      << "KVM still has a VM: " << ::testing::PrintToString(kvm_debug_folders());
  EXPECT_EQ(open_fds(), *fds_);
  complaints_so_far();
}

void Own::SetUp() {
  if (!device_is_vmctl()) GTEST_SKIP() << "vmctl's own: not on " << device();
  Kept::SetUp();
}

}  // namespace t
