// SPDX-License-Identifier: GPL-2.0
#include "vm/msr.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <string>

#include "base/bytes.hpp"
#include "base/size.hpp"

namespace vmctl {
namespace {

// The most that one range of a filter holds (KVM_MSR_FILTER_MAX_BITMAP_SIZE bytes).
constexpr std::uint32_t kWindowMax = 0x600 * 8;
// These never exit: KVM keeps the x2APIC's to itself (api.rst 4.97).
constexpr std::uint32_t kX2apicFirst = 0x800;
constexpr std::uint32_t kX2apicLast = 0x8ff;

Error refuse(std::string_view text, std::string why) {
  return {.status = Status::usage,
          .what = fmt::format("--msr {}", escaped(text)),
          .why = std::move(why)};
}

Result<std::uint32_t> parse_index(std::string_view whole, std::string_view text) {
  const auto number = parse_number(text);
  if (!number) return fail(refuse(whole, number.error().what + " " + number.error().why));
  if (*number > std::numeric_limits<std::uint32_t>::max())
    return fail(refuse(whole, fmt::format("{} is more than 32 bits, as MSRs have", text)));
  return static_cast<std::uint32_t>(*number);
}

std::string describe(const MsrRule& rule) {
  return rule.first == rule.last ? fmt::format("{:#x}", rule.first)
                                 : fmt::format("{:#x}-{:#x}", rule.first, rule.last);
}

}  // namespace

Result<MsrRule> parse_msr(std::string_view text) {
  MsrRule rule{.first = 0, .last = 0, .reads = true, .writes = true, .value = std::nullopt};
  std::string_view rest = text;
  if (rest.starts_with("r:")) rule.writes = false;
  if (rest.starts_with("w:")) rule.reads = false;
  if (!rule.reads || !rule.writes) rest.remove_prefix(2);

  const auto equals = rest.find('=');
  const std::string_view where = rest.substr(0, equals);
  const auto dash = where.find('-');
  rule.first = TRY(parse_index(text, where.substr(0, dash)));
  rule.last =
      dash == std::string_view::npos ? rule.first : TRY(parse_index(text, where.substr(dash + 1)));
  if (rule.last < rule.first) return fail(refuse(text, "the range ends before it begins"));
  if (rule.first <= kX2apicLast && rule.last >= kX2apicFirst)
    return fail(refuse(text, "KVM lets nobody filter the MSRs of the x2APIC, 0x800 to 0x8ff"));
  if (equals == std::string_view::npos) return rule;

  if (!rule.reads) return fail(refuse(text, "a value is for reads, and w: is for writes alone"));
  const auto value = parse_number(rest.substr(equals + 1));
  if (!value) return fail(refuse(text, value.error().what + " " + value.error().why));
  rule.value = *value;
  return rule;
}

// Windows as wide as the kernel allows, from the lowest named MSR up.
Result<> MsrFilter::add_windows(std::vector<Window>& windows, std::uint32_t flag,
                                std::vector<MsrRule> rules) {
  std::sort(rules.begin(), rules.end(),
            [](const MsrRule& a, const MsrRule& b) { return a.first < b.first; });
  const MsrRule* previous = nullptr;
  for (const MsrRule& rule : rules) {
    if (previous != nullptr && rule.first <= previous->last)
      return fail(refuse(describe(rule), fmt::format("{} names it already", describe(*previous))));
    previous = &rule;
    for (std::uint64_t index = rule.first; index <= rule.last; ++index) {
      const auto msr = static_cast<std::uint32_t>(index);
      if (windows.empty() || windows.back().flags != flag ||
          msr - windows.back().base >= kWindowMax) {
        if (windows.size() == KVM_MSR_FILTER_MAX_RANGES)
          return fail(refuse(describe(rule),
                             fmt::format("too many, too far apart: a filter of KVM's holds {} "
                                         "ranges of {} MSRs, for reads and writes together",
                                         KVM_MSR_FILTER_MAX_RANGES, kWindowMax)));
        windows.push_back({.flags = flag, .base = msr, .count = 0, .bitmap = {}});
      }
      Window& window = windows.back();
      const std::uint32_t bit = msr - window.base;
      window.count = bit + 1;
      const std::size_t words = (window.count + 63) / 64;  // KVM copies whole ones
      window.bitmap.resize(words * 8, 0xff);
      window.bitmap[bit / 8] &= static_cast<std::uint8_t>(~(1U << bit % 8));
    }
  }
  return {};
}

Result<MsrFilter> MsrFilter::build(std::span<const MsrRule> rules) {
  MsrFilter filter;
  const auto with = [&](bool MsrRule::*access) {
    std::vector<MsrRule> chosen;
    std::copy_if(rules.begin(), rules.end(), std::back_inserter(chosen),
                 [&](const MsrRule& rule) { return rule.*access; });
    return chosen;
  };
  TRY(add_windows(filter.windows_, KVM_MSR_FILTER_READ, with(&MsrRule::reads)));
  TRY(add_windows(filter.windows_, KVM_MSR_FILTER_WRITE, with(&MsrRule::writes)));
  return filter;
}

kvm_msr_filter MsrFilter::filter() {
  kvm_msr_filter filter{};
  filter.flags = KVM_MSR_FILTER_DEFAULT_ALLOW;
  for (std::size_t i = 0; i < windows_.size(); ++i) {
    filter.ranges[i].flags = windows_[i].flags;
    filter.ranges[i].base = windows_[i].base;
    filter.ranges[i].nmsrs = windows_[i].count;
    filter.ranges[i].bitmap = windows_[i].bitmap.data();
  }
  return filter;
}

const MsrRule* Msrs::find(std::uint32_t index, bool MsrRule::*access) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const MsrRule& candidate) {
    return candidate.*access && index >= candidate.first && index <= candidate.last;
  });
  return rule != rules_.end() ? &*rule : nullptr;
}

std::optional<std::uint64_t> Msrs::read(std::uint32_t index) const {
  const MsrRule* rule = find(index, &MsrRule::reads);
  if (rule == nullptr) return std::nullopt;
  const std::lock_guard guard(lock_);
  if (const auto seen = written_.find(index); seen != written_.end()) return seen->second.value;
  return rule->value;
}

bool Msrs::write(std::uint32_t index, std::uint64_t value) {
  if (find(index, &MsrRule::writes) == nullptr) return false;
  const std::lock_guard guard(lock_);
  Written& written = written_[index];
  written.value = value;
  ++written.count;
  return true;
}

std::map<std::uint32_t, Msrs::Written> Msrs::written() const {
  const std::lock_guard guard(lock_);
  return written_;
}

}  // namespace vmctl
