// SPDX-License-Identifier: GPL-2.0
#include "watch/rates.hpp"

#include <gtest/gtest.h>

#include "kernel/kvm.hpp"
#include "watch/top_view.hpp"

namespace vmctl {
namespace {

using namespace std::chrono_literals;

VmSample vm_of(std::uint32_t id, std::uint64_t io, std::uint64_t mmio) {
  VmSample vm;
  vm.row.id = id;
  vm.row.uid = 1000 + id;
  vm.row.name = "vm" + std::to_string(id);
  vm.row.state = "active";
  vm.row.vcpus = id;
  vm.row.memory = std::uint64_t{64} << 20;
  vm.stats.exits[KVM_EXIT_IO] = io;
  vm.stats.exits[KVM_EXIT_MMIO] = mmio;
  return vm;
}

Sample sample_at(std::chrono::milliseconds at, std::vector<VmSample> vms) {
  return {.at = std::chrono::steady_clock::time_point(at), .vms = std::move(vms)};
}

TEST(Rates, AreDifferencesASecond) {
  auto before = sample_at(1000ms, {vm_of(1, 100, 50)});
  auto now = sample_at(3000ms, {vm_of(1, 300, 450)});
  before.vms[0].guest = 1s;
  now.vms[0].guest = 4s;
  const auto all = rates(before, now);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_DOUBLE_EQ(all[0].exits, 300);
  ASSERT_EQ(all[0].reasons.size(), 2U);
  EXPECT_EQ(all[0].reasons[0].first, "KVM_EXIT_MMIO");
  EXPECT_DOUBLE_EQ(all[0].reasons[0].second, 200);
  EXPECT_DOUBLE_EQ(all[0].reasons[1].second, 100);
  ASSERT_TRUE(all[0].guest);
  EXPECT_DOUBLE_EQ(*all[0].guest, 1.5);
}

TEST(Rates, OfVmsThatComeAndGo) {
  const auto all = rates(sample_at(0ms, {vm_of(1, 100, 0)}), sample_at(1000ms, {vm_of(2, 10, 0)}));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].row.id, 2U);
  EXPECT_DOUBLE_EQ(all[0].exits, 10) << "since its start";
}

// Its process may have been in other guests before, and what is known may change.
TEST(Rates, GuestTimeOfANewVmIsNotKnown) {
  auto before = sample_at(0ms, {vm_of(1, 0, 0)});
  auto now = sample_at(1000ms, {vm_of(1, 0, 0), vm_of(2, 0, 0)});
  now.vms[0].guest = 500s;
  now.vms[1].guest = 500s;
  const auto all = rates(before, now);
  EXPECT_FALSE(all[0].guest) << "it was not known before";
  EXPECT_FALSE(all[1].guest) << "it was not there before";
}

TEST(Rates, OfNoTimeOrBackwardsAreZero) {
  const auto same = rates(sample_at(5ms, {vm_of(1, 1, 0)}), sample_at(5ms, {vm_of(1, 9, 0)}));
  EXPECT_DOUBLE_EQ(same[0].exits, 0);
  const auto less = rates(sample_at(0ms, {vm_of(1, 9, 0)}), sample_at(1000ms, {vm_of(1, 1, 0)}));
  EXPECT_DOUBLE_EQ(less[0].exits, 0);
  EXPECT_TRUE(less[0].reasons.empty());
}

TEST(Rates, AreSorted) {
  const auto before = sample_at(0ms, {});
  const auto now = sample_at(1000ms, {vm_of(3, 5, 0), vm_of(1, 5, 0), vm_of(2, 9, 0)});
  const auto ids = [&](SortBy key) {
    auto all = rates(before, now);
    sort(all, key);
    std::vector<std::uint32_t> found;
    found.reserve(all.size());
    for (const VmRates& vm : all) found.push_back(vm.row.id);
    return found;
  };
  using Ids = std::vector<std::uint32_t>;
  EXPECT_EQ(ids(SortBy::id), (Ids{1, 2, 3}));
  EXPECT_EQ(ids(SortBy::exits), (Ids{2, 1, 3})) << "by id where the same";
  EXPECT_EQ(ids(SortBy::vcpus), (Ids{3, 2, 1}));
  EXPECT_EQ(ids(SortBy::name), (Ids{1, 2, 3}));
  EXPECT_EQ(ids(SortBy::user), (Ids{1, 2, 3}));
  EXPECT_EQ(ids(SortBy::memory), (Ids{1, 2, 3}));
  EXPECT_EQ(ids(SortBy::guest), (Ids{1, 2, 3}));
  EXPECT_EQ(sort_key("guest"), SortBy::guest);
  EXPECT_EQ(sort_key("colour"), std::nullopt);
}

TEST(Rates, ReasonsFitTheirColumns) {
  const auto all = rates(sample_at(0ms, {}), sample_at(1000ms, {vm_of(1, 75, 25)}));
  EXPECT_EQ(reasons_text(all[0], 80), "IO 75% MMIO 25%");
  EXPECT_EQ(reasons_text(all[0], 15), "IO 75% MMIO 25%");
  EXPECT_EQ(reasons_text(all[0], 14), "IO 75%");
  EXPECT_EQ(reasons_text(all[0], 5), "");
}

TEST(Rates, AsJson) {
  auto before = sample_at(0ms, {vm_of(1, 0, 0)});
  auto now = sample_at(1000ms, {vm_of(1, 75, 0)});
  auto json = rates_to_json(rates(before, now));
  EXPECT_EQ(json[0]["id"], 1);
  EXPECT_EQ(json[0]["reasons_per_second"]["KVM_EXIT_IO"], 75.0);
  EXPECT_TRUE(json[0]["guest_cpus"].is_null());
  before.vms[0].guest = 0ms;
  now.vms[0].guest = 500ms;
  EXPECT_EQ(rates_to_json(rates(before, now))[0]["guest_cpus"], 0.5);
}

TEST(GuestTicks, StandBehindTheName) {
  std::string stat = "812 (a) b (c) S";
  for (int field = 4; field <= 52; ++field) stat += " " + std::to_string(field * 10);
  EXPECT_EQ(parse_guest_ticks(stat), 430U);
  EXPECT_EQ(parse_guest_ticks("812 (a) S 1 2 3"), std::nullopt);
  EXPECT_EQ(parse_guest_ticks(""), std::nullopt);
  EXPECT_EQ(parse_guest_ticks("812 a S 1"), std::nullopt);
}

std::string uid_text(std::uint32_t uid) {
  return "u" + std::to_string(uid);
}

TEST(TopView, FitsItsSize) {
  std::vector<VmSample> vms;
  for (std::uint32_t id = 1; id <= 50; ++id) vms.push_back(vm_of(id, id, 0));
  vms[0].row.name = std::string(200, 'x');
  const auto all = rates(sample_at(0ms, {}), sample_at(1000ms, vms));
  for (const TopSize size : {TopSize{80, 24}, {40, 10}, {10, 3}, {1, 1}, {200, 100}}) {
    SCOPED_TRACE(size.columns);
    const auto lines = top_lines(all, uid_text, size);
    EXPECT_LE(lines.size(), size.lines);
    for (const auto& line : lines) EXPECT_LE(line.size(), size.columns);
  }
  const auto lines = top_lines(all, uid_text, {80, 24});
  ASSERT_EQ(lines.size(), 24U);
  EXPECT_EQ(lines[0], "50 VMs, 1275 vCPUs, 3.1G of memory, 1.3k exits/s");
  EXPECT_EQ(lines.back(), "... and 29 more");
  EXPECT_EQ(top_lines(all, uid_text, {80, 52}).back().substr(0, 2), "50") << "all have room";
}

TEST(TopView, ALine) {
  auto before = sample_at(0ms, {vm_of(7, 0, 0)});
  auto now = sample_at(1000ms, {vm_of(7, 1500, 0)});
  before.vms[0].guest = 0ms;
  now.vms[0].guest = 1500ms;
  now.vms[0].row.state = "revoked";
  const auto lines = top_lines(rates(before, now), uid_text, {80, 24});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0], "1 VM, 7 vCPUs, 64M of memory, 1.5k exits/s");
  EXPECT_EQ(lines[2].substr(0, 45), "7      u1007        7   64M    1.5k   150% IO");
  EXPECT_NE(lines[2].find("(revoked) vm7"), std::string::npos);
}

TEST(TopView, ALongNameIsWholeWhereThereIsRoom) {
  auto vm = vm_of(1, 9, 0);
  vm.row.name = std::string(252, 'n');
  const auto lines =
      top_lines(rates(sample_at(0ms, {}), sample_at(1000ms, {vm})), uid_text, {4096, 24});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_TRUE(lines[2].ends_with(" " + vm.row.name)) << lines[2];
  EXPECT_LT(lines[2].size(), 330U) << "and no room is wasted";
}

TEST(TopView, ShortNumbers) {
  EXPECT_EQ(short_size(0), "0");
  EXPECT_EQ(short_size(512), "512");
  EXPECT_EQ(short_size(1024), "1K");
  EXPECT_EQ(short_size(1536), "1.5K");
  EXPECT_EQ(short_size(std::uint64_t{64} << 20), "64M");
  EXPECT_EQ(short_size(~std::uint64_t{0}), "16E");
  EXPECT_EQ(short_count(999), "999");
  EXPECT_EQ(short_count(12345), "12k");
}

}  // namespace
}  // namespace vmctl
