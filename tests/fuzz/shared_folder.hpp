// SPDX-License-Identifier: GPL-2.0
// A folder to share with hostile guests, and beside it what they must not reach.
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "property.hpp"

namespace vmctl::fuzz {

class SharedFolder {
 public:
  SharedFolder() {
    // What a guest may make of sizes is little.
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1 << 20, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &small);
    std::string name = (std::filesystem::temp_directory_path() / "vmctl-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "there is room for a folder");
    top_ = name;
    std::filesystem::create_directory(share());
    std::ofstream(top_ / "secret") << kSecret;
    std::filesystem::create_directory(share() / "folder");
    std::ofstream(share() / "file") << "text";
    std::filesystem::create_symlink("../secret", share() / "link");
    std::filesystem::create_symlink("..", share() / "up");
  }
  SharedFolder(const SharedFolder&) = delete;
  SharedFolder& operator=(const SharedFolder&) = delete;
  ~SharedFolder() {
    std::error_code ignored;
    std::filesystem::permissions(share(), std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(top_, ignored);
  }

  std::filesystem::path share() const { return top_ / "share"; }

  void check() const {
    std::ifstream file(top_ / "secret");
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    require(text == kSecret, "what is beside the folder stays as it is");
    const auto entries = std::filesystem::directory_iterator(top_);
    require(std::distance(begin(entries), end(entries)) == 2, "and nothing comes beside it");
    struct stat status {};
    require(::stat((top_ / "secret").c_str(), &status) == 0 && status.st_nlink == 1,
            "and it has no other name");
  }

  static constexpr std::string_view kSecret = "what no guest may see";

 private:
  std::filesystem::path top_;
};

}  // namespace vmctl::fuzz
