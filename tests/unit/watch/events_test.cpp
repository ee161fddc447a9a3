// SPDX-License-Identifier: GPL-2.0
#include "watch/events.hpp"

#include <gtest/gtest.h>
#include <linux/kvm.h>

#include <cstdlib>
#include <cstring>
#include <ctime>

namespace vmctl {
namespace {

vmctl_event event_of(std::uint32_t kind, std::string_view name) {
  vmctl_event event{};
  event.seq = 9;
  event.time_ns = 86'400'250'000'000;
  event.kind = kind;
  event.uid = 1000;
  event.by_uid = 1000;
  event.pid = 812;
  event.vm = 3;
  std::memcpy(event.name, name.data(), std::min(name.size(), sizeof event.name));
  return event;
}

class EventText : public ::testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TZ", "UTC", 1);  // NOLINT(concurrency-mt-unsafe): one thread
    ::tzset();
  }
};

TEST_F(EventText, OfAVm) {
  auto event = event_of(VMCTL_EVENT_CREATED, "web");
  EXPECT_EQ(format_event(event), "1970-01-02T00:00:00.250 created vm 3 \"web\", uid 1000, pid 812");
  event.kind = VMCTL_EVENT_REVOKED;
  event.by_uid = 0;
  event.pid = 0;
  EXPECT_EQ(format_event(event),
            "1970-01-02T00:00:00.250 revoked vm 3 \"web\", uid 1000, by uid 0");
}

TEST_F(EventText, OfARefusal) {
  auto event = event_of(VMCTL_EVENT_REFUSED, "KVM_CREATE_DEVICE");
  event.cmd = KVM_CREATE_DEVICE;
  EXPECT_NE(format_event(event).find("refused KVM_CREATE_DEVICE, vm 3, uid"), std::string::npos);
  event.vm = 0;
  event.missed = 7;
  EXPECT_NE(format_event(event).find("refused KVM_CREATE_DEVICE, uid 1000, pid 812 (7 before it"),
            std::string::npos);
  EXPECT_EQ(event_to_json(event)["number"], std::uint32_t{KVM_CREATE_DEVICE});
  EXPECT_FALSE(event_to_json(event).contains("vm"));
}

TEST_F(EventText, OfALimit) {
  auto event = event_of(VMCTL_EVENT_LIMIT, "");
  event.resource = VMCTL_MEMORY;
  event.scope = VMCTL_SCOPE_TOTAL;
  event.limit = 1 << 20;
  event.wanted = 2 << 20;
  EXPECT_NE(
      format_event(event).find("limit memory of all users: 2M wanted, 0 bytes of 1M in use, uid"),
      std::string::npos)
      << format_event(event);
  const auto json = event_to_json(event);
  EXPECT_EQ(json["resource"], "memory");
  EXPECT_EQ(json["of"], "total");
  EXPECT_EQ(json["wanted"], 2 << 20);
  EXPECT_EQ(json["used"], 0);

  event.used = VMCTL_UNKNOWN;
  EXPECT_NE(format_event(event).find("2M wanted, ? of 1M in use"), std::string::npos)
      << format_event(event);
  EXPECT_TRUE(event_to_json(event)["used"].is_null());
}

// Who made a user namespace pays for those in it.
TEST_F(EventText, OfWhoseLimit) {
  auto event = event_of(VMCTL_EVENT_LIMIT, "");
  event.resource = VMCTL_VMS;
  event.scope = VMCTL_SCOPE_USER;
  event.payer = 1000;
  EXPECT_NE(format_event(event).find("vms of the user: "), std::string::npos);
  event.payer = 7;
  EXPECT_NE(format_event(event).find("vms of uid 7: "), std::string::npos);
  EXPECT_EQ(event_to_json(event)["payer"], 7);
  event.payer = ~0U;
  EXPECT_NE(format_event(event).find("vms of the user: "), std::string::npos);
  EXPECT_FALSE(event_to_json(event).contains("payer"));
}

// A name is any bytes, and need not end.
TEST_F(EventText, NamesAreEscaped) {
  const std::string evil = "a\n\033[31m" + std::string(100, 'x');
  const auto text = format_event(event_of(VMCTL_EVENT_CREATED, evil));
  for (const char c : text) EXPECT_TRUE(c >= 0x20 && c < 0x7f) << text;
  EXPECT_NE(text.find("a\\012\\033[31m"), std::string::npos) << text;
  const auto forged = event_of(VMCTL_EVENT_CREATED, "a\", uid 0");
  EXPECT_NE(format_event(forged).find("vm 3 \"a\\042,\\040uid\\0400\", uid 1000"),
            std::string::npos)
      << format_event(forged);
  EXPECT_EQ(event_to_json(forged)["name"], "a\\042,\\040uid\\0400");
}

TEST_F(EventText, OfALaterModule) {
  auto event = event_of(99, "x");
  EXPECT_EQ(event_kind(event), "kind-99");
  event.kind = VMCTL_EVENT_LIMIT;
  event.resource = 77;
  EXPECT_NE(format_event(event).find("resource 77"), std::string::npos);
}

}  // namespace
}  // namespace vmctl
