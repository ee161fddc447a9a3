// SPDX-License-Identifier: GPL-2.0
// --msr: a rule a line, and the filter of them all.
#include "vm/msr.hpp"

#include <vector>

#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

// Whether KVM keeps an access to itself: what no range holds, and what has its bit set.
bool passes(const kvm_msr_filter& filter, std::uint32_t flag, std::uint64_t index) {
  bool held = false;
  bool set = true;
  for (const kvm_msr_filter_range& range : filter.ranges) {
    const std::uint64_t base = range.base;
    if (range.nmsrs == 0 || range.flags != flag || index < base || index - base >= range.nmsrs)
      continue;
    require(!held, "an MSR is in one range");
    held = true;
    set = (range.bitmap[(index - base) / 8] >> (index - base) % 8 & 1) != 0;
  }
  return set;
}

void check(const kvm_msr_filter& filter, std::uint32_t flag, bool MsrRule::*access,
           const std::vector<MsrRule>& rules) {
  for (const MsrRule& rule : rules)
    for (const std::uint64_t near : {std::uint64_t{rule.first} - 1, std::uint64_t{rule.first},
                                     std::uint64_t{rule.last}, std::uint64_t{rule.last} + 1}) {
      if (near > 0xffffffff) continue;
      const bool named = std::any_of(rules.begin(), rules.end(), [&](const MsrRule& other) {
        return other.*access && near >= other.first && near <= other.last;
      });
      require(passes(filter, flag, near) != named, "what is named comes to us, nothing else");
    }
}

}  // namespace

FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::vector<MsrRule> rules;
  while (!input.done() && rules.size() < 32) {
    const auto rule = parse_msr(input.line());
    if (is_error(rule)) continue;
    require(rule->first <= rule->last && (rule->reads || rule->writes), "a rule is for something");
    require(rule->reads || !rule->value, "a value is for reads");
    rules.push_back(*rule);
  }
  auto built = MsrFilter::build(rules);
  if (is_error(built)) return 0;
  const kvm_msr_filter filter = built->filter();
  for (const kvm_msr_filter_range& range : filter.ranges)
    require(range.nmsrs <= KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8, "a range is one that KVM takes");
  check(filter, KVM_MSR_FILTER_READ, &MsrRule::reads, rules);
  check(filter, KVM_MSR_FILTER_WRITE, &MsrRule::writes, rules);

  Msrs msrs(rules);
  for (const MsrRule& rule : rules) {
    require(rule.reads || !rule.writes || msrs.write(rule.first, 5), "what is named is written");
    require(!rule.value || msrs.read(rule.last).has_value(), "what has a value is read");
  }
  return 0;
}
