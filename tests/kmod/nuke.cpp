// SPDX-License-Identifier: GPL-2.0-only
#include "nuke.hpp"

#include <algorithm>
#include <array>

namespace t {

const Loadable& nuke() {
  static const Loadable module("nuke", "VMCTL_NUKE_MODULE");
  return module;
}

std::string nuke_path(int index) {
  return "/dev/nuke" + std::to_string(index);
}

Fd open_nuke(int index, int flags) {
  return Fd(::open(nuke_path(index).c_str(), flags | O_CLOEXEC));
}

std::vector<std::string> nuke_nodes() {
  std::vector<std::string> nodes;
  for (const std::string& name : entries_of("/dev"))
    if (name.starts_with("nuke")) nodes.push_back(name);
  std::sort(nodes.begin(), nodes.end());
  return nodes;
}

Ret write_text(int fd, std::string_view text) {
  return Ret::of(::write(fd, text.data(), text.size()));
}

std::string read_text(int fd, std::size_t size) {
  std::string text(size, '\xcc');
  const ssize_t n = ::read(fd, text.data(), size);
  if (n < 0) return "read() fails";
  return text.substr(0, static_cast<std::size_t>(n));
}

void Nuke::SetUp() {
  if (!nuke().found()) GTEST_SKIP() << "nuke.ko is not to be found: set VMCTL_NUKE_MODULE";
  if (nuke().loaded()) ASSERT_EQ(nuke().remove(), 0);
  ASSERT_EQ(nuke().insert(), 0);
  fds_ = open_fds();
  log_.fresh();
}

void Nuke::TearDown() {
  if (!fds_) return;
  EXPECT_EQ(open_fds(), *fds_);
  if (nuke().loaded()) EXPECT_EQ(nuke().remove_soon(), 0);
  EXPECT_TRUE(nuke_nodes().empty());
  complaints_so_far();
}

Said Nuke::said() {
  Said all;
  for (const KernelLine& line : log_.fresh()) {
    if (!line.text.starts_with("nuke: ")) continue;
    const std::string text = line.text.substr(6);
    auto& kind = text.find('\x1b') != std::string::npos        ? all.picture
                 : text.find("incorrect") != std::string::npos ? all.incorrect
                                                               : all.other;
    kind.push_back(text);
  }
  return all;
}

}  // namespace t
