// SPDX-License-Identifier: GPL-2.0-only
//
// nuke.ko, loaded anew for each test.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kmsg.hpp"
#include "loadable.hpp"

namespace t {

constexpr std::string_view kWarning = "This is dangerous!\n";
constexpr std::string_view kSecret = "\x01\x14\x05\x14";
constexpr std::size_t kPictureLines = 16;

const Loadable& nuke();

// "/dev/nuke0"
std::string nuke_path(int index);
Fd open_nuke(int index, int flags = O_RDWR);

// The nodes that there are, by name, sorted.
std::vector<std::string> nuke_nodes();

// One system call each.
Ret write_text(int fd, std::string_view text);
std::string read_text(int fd, std::size_t size);

// What the module has said, without its prefix.
struct Said {
  std::vector<std::string> picture;    // the red lines
  std::vector<std::string> incorrect;  // "nuke0: incorrect secret"
  std::vector<std::string> other;
};

class Nuke : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  // Since the last call.
  Said said();

  KernelLog log_;

 private:
  std::optional<std::vector<int>> fds_;
};

}  // namespace t
