// SPDX-License-Identifier: GPL-2.0
// MSRs that this program answers instead of KVM: which (a filter, KVM_X86_SET_MSR_FILTER in
// api.rst 4.97), and with what.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "kernel/kvm.hpp"

namespace vmctl {

// "0x1234=5", "0x1234", "r:0x1234=5", "w:0x800-0x8ff".
struct MsrRule {
  std::uint32_t first;
  std::uint32_t last;
  bool reads;   // come to us
  bool writes;  // come to us
  std::optional<std::uint64_t> value;
};

Result<MsrRule> parse_msr(std::string_view text);

// The filter that lets through all but what the rules name. It owns the bitmaps that filter()
// points to.
class MsrFilter {
 public:
  // Refuses two rules for the same access, and more than a filter holds.
  static Result<MsrFilter> build(std::span<const MsrRule> rules);

  kvm_msr_filter filter();

 private:
  struct Window {
    std::uint32_t flags;  // KVM_MSR_FILTER_READ or _WRITE
    std::uint32_t base;
    std::uint32_t count;
    std::vector<std::uint8_t> bitmap;  // a bit for each: 1 lets through
  };
  static Result<> add_windows(std::vector<Window>& windows, std::uint32_t flag,
                              std::vector<MsrRule> rules);

  std::vector<Window> windows_;
};

// The values: what the rules said, and what guests wrote since. For all vCPUs of a machine.
class Msrs {
 public:
  explicit Msrs(std::vector<MsrRule> rules) : rules_(std::move(rules)) {}

  // Nothing: the guest gets #GP.
  std::optional<std::uint64_t> read(std::uint32_t index) const;
  // False: the guest gets #GP.
  bool write(std::uint32_t index, std::uint64_t value);

  struct Written {
    std::uint64_t value;  // the last
    std::uint64_t count;
  };
  std::map<std::uint32_t, Written> written() const;

 private:
  const MsrRule* find(std::uint32_t index, bool MsrRule::*access) const;

  std::vector<MsrRule> rules_;
  mutable std::mutex lock_;
  std::map<std::uint32_t, Written> written_;  // guarded by lock_
};

}  // namespace vmctl
