// SPDX-License-Identifier: GPL-2.0
// What a guest is started from: its files, opened, and the plan of what goes where.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "bus/memory.hpp"
#include "load/flat.hpp"
#include "load/image.hpp"
#include "load/plan.hpp"
#include "machine/layout.hpp"
#include "vm/vm.hpp"

namespace vmctl {

struct BootFileConfig {
  std::string path;
  std::string arguments;
};

struct BootConfig {
  std::string image;
  FlatRequest flat;
  std::optional<Format> format;  // nothing: as the content says
  std::string command_line;
  std::vector<BootFileConfig> files;
  std::optional<std::uint64_t> memory;  // nothing: as much as guests of this format get
};

class Boot {
 public:
  // Opens all and plans; no_input, bad_image or usage when something cannot be.
  static Result<Boot> prepare(const BootConfig& config);

  std::uint64_t memory_size() const { return memory_size_; }
  const LoadPlan& plan() const { return plan_; }
  const Image& image() const { return *images_.front(); }
  // Parts of memory that the guest may not write to.
  std::vector<MemoryRange> read_only() const;

  // Everything to its place. The digest is that of the last piece of the image itself; raw KVM
  // measures nothing.
  Result<std::optional<Digest>> load(const Vm& vm, const GuestMemory& memory) const;

 private:
  Boot() = default;

  std::vector<std::unique_ptr<Image>> images_;  // the image, then the files, as segments count them
  std::uint64_t memory_size_ = 0;
  LoadPlan plan_;
};

}  // namespace vmctl
