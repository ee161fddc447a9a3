// SPDX-License-Identifier: GPL-2.0
#include "net/slirp.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "net/slirp_library.hpp"

namespace vmctl {
namespace {

using std::chrono::milliseconds;

in_addr address_of(const Ipv4& address) {
  in_addr in{};
  std::memcpy(&in, address.data(), address.size());
  return in;
}

in_addr in_network(std::uint32_t host) {
  return {.s_addr = htonl(SlirpNetwork::kNetwork | host)};
}

std::int64_t now_ns() {
  return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::int64_t now_ms() {
  return now_ns() / 1'000'000;
}

struct PollBit {
  int slirp;
  short poll;
};
constexpr PollBit kPollBits[] = {{SLIRP_POLL_IN, POLLIN},
                                 {SLIRP_POLL_OUT, POLLOUT},
                                 {SLIRP_POLL_PRI, POLLPRI},
                                 {SLIRP_POLL_ERR, POLLERR},
                                 {SLIRP_POLL_HUP, POLLHUP}};

// What libslirp has use for, and no more of what a guest may send reaches its parsers.
bool is_spoken(std::span<const std::uint8_t> frame) {
  constexpr std::size_t kHeader = 14;
  if (frame.size() < kHeader) return false;
  const int protocol = frame[12] << 8 | frame[13];
  return protocol == 0x0800 || protocol == 0x0806;  // IPv4, ARP
}

}  // namespace

const SlirpCb SlirpNetwork::kCallbacks = {
    .send_packet = take_frame,
    // Of a guest's mistakes only the guest would want to know.
    .guest_error = [](const char*, void*) {},
    .clock_get_ns = [](void*) { return now_ns(); },
    .timer_new = add_timer,
    .timer_free = remove_timer,
    .timer_mod = [](void* timer, std::int64_t at, void*) { static_cast<Alarm*>(timer)->at = at; },
    // fill() asks for all of them in each round.
    .register_poll_fd = [](int, void*) {},
    .unregister_poll_fd = [](int, void*) {},
    .notify = [](void* opaque) { static_cast<SlirpNetwork*>(opaque)->thread_.wake(); },
    .init_completed = nullptr,
    .timer_new_opaque = nullptr,
};

ssize_t SlirpNetwork::take_frame(const void* bytes, size_t size, void* opaque) {
  SlirpNetwork& self = *static_cast<SlirpNetwork*>(opaque);
  const std::lock_guard guard(self.waiting_mutex_);
  if (size <= kFrameMax && self.waiting_.size() < kWaitingMax) {
    const auto* first = static_cast<const std::uint8_t*>(bytes);
    self.waiting_.emplace_back(first, first + size);
  }
  return static_cast<ssize_t>(size);
}

void* SlirpNetwork::add_timer(SlirpTimerCb act, void* act_opaque, void* opaque) {
  return &static_cast<SlirpNetwork*>(opaque)->alarms_.emplace_back(
      Alarm{.act = act, .opaque = act_opaque, .at = std::nullopt});
}

void SlirpNetwork::remove_timer(void* timer, void* opaque) {
  static_cast<SlirpNetwork*>(opaque)->alarms_.remove_if(
      [timer](const Alarm& alarm) { return &alarm == timer; });
}

int SlirpNetwork::add_poll(int fd, int events, void* opaque) {
  std::vector<pollfd>& fds = *static_cast<SlirpNetwork*>(opaque)->filling_;
  short wanted = 0;
  for (const PollBit& bit : kPollBits)
    if ((events & bit.slirp) != 0) wanted = static_cast<short>(wanted | bit.poll);
  fds.push_back({.fd = fd, .events = wanted, .revents = 0});
  return static_cast<int>(fds.size() - 1);
}

int SlirpNetwork::polled(int index, void* opaque) {
  const std::vector<pollfd>& fds = *static_cast<SlirpNetwork*>(opaque)->polled_;
  if (index < 0 || static_cast<std::size_t>(index) >= fds.size()) return 0;
  int events = 0;
  for (const PollBit& bit : kPollBits)
    if ((fds[static_cast<std::size_t>(index)].revents & bit.poll) != 0) events |= bit.slirp;
  return events;
}

Result<std::unique_ptr<NetBackend>> SlirpNetwork::open(const NetSpec& spec) {
  std::unique_ptr<SlirpNetwork> network(new SlirpNetwork);
  try {
    TRY(network->create(spec));
  } catch (const std::runtime_error& error) {
    return fail({.status = Status::unavailable,
                 .what = "cannot make the user's network",
                 .why = error.what(),
                 .advice = "install it (Debian: apt-get install libslirp0), or use --net tap"});
  }
  return std::unique_ptr<NetBackend>(std::move(network));
}

Result<> SlirpNetwork::create(const NetSpec& spec) {
  SlirpConfig config{};
  config.version = 4;
  config.restricted = spec.restricted ? 1 : 0;
  config.in_enabled = true;
  config.vnetwork = in_network(0);
  config.vnetmask = {.s_addr = htonl(0xffffff00)};
  config.vhost = in_network(2);
  config.vnameserver = in_network(3);
  config.vdhcp_start = in_network(15);
  const std::lock_guard guard(mutex_);
  slirp_ = slirp_new(&config, &kCallbacks, this);
  if (slirp_ == nullptr)
    return fail({.status = Status::internal,
                 .what = "cannot make the user's network",
                 .why = "libslirp refuses its configuration"});
  for (const PortForward& each : spec.forwards) TRY(forward(each));
  return {};
}

Result<> SlirpNetwork::forward(const PortForward& forward) {
  if (slirp_add_hostfwd(slirp_, forward.udp ? 1 : 0, address_of(forward.host), forward.host_port,
                        address_of(forward.guest), forward.guest_port) == 0)
    return {};
  const int error = errno;
  return fail({.status = error == EACCES ? Status::refused : Status::unavailable,
               .what = "cannot forward a port to the guest",
               .where = fmt::format("{} port {} on {}", forward.udp ? "UDP" : "TCP",
                                    forward.host_port, format_ipv4(forward.host)),
               .why = errno_text(error),
               .advice = error == EADDRINUSE ? "another program listens there; give another port"
                         : error == EACCES   ? "ports below 1024 are root's"
                                             : ""});
}

SlirpNetwork::~SlirpNetwork() {
  thread_.stop();
  const std::lock_guard guard(mutex_);
  if (slirp_ != nullptr) slirp_cleanup(slirp_);
}

void SlirpNetwork::start(std::function<bool()> arrived) {
  {
    const std::lock_guard guard(waiting_mutex_);
    paused_ = false;
    waiting_.clear();
  }
  const auto ready = [this, arrived = std::move(arrived)](const std::vector<pollfd>& fds) {
    poll(fds);
    {
      const std::lock_guard guard(waiting_mutex_);
      if (paused_ || waiting_.empty()) return;
      // Before it asks: a resume() that comes meanwhile is not lost.
      paused_ = true;
    }
    if (!arrived()) return;
    const std::lock_guard guard(waiting_mutex_);
    paused_ = false;
  };
  thread_.start({.fill = [this](std::vector<pollfd>& fds) { return fill(fds); }, .ready = ready});
}

void SlirpNetwork::resume() {
  const std::lock_guard guard(waiting_mutex_);
  if (!paused_) return;
  paused_ = false;
  if (!waiting_.empty()) thread_.wake();
}

void SlirpNetwork::send(std::span<const std::uint8_t> frame) {
  if (!is_spoken(frame) || frame.size() > kFrameMax) return;
  {
    const std::lock_guard guard(mutex_);
    slirp_input(slirp_, frame.data(), static_cast<int>(frame.size()));
  }
  // It may have answered at once, or have something else to wait for.
  thread_.wake();
}

std::size_t SlirpNetwork::receive(std::span<std::uint8_t> room) {
  const std::lock_guard guard(waiting_mutex_);
  while (!waiting_.empty()) {
    const std::vector<std::uint8_t> frame = std::move(waiting_.front());
    waiting_.pop_front();
    if (frame.size() > room.size()) continue;
    std::copy(frame.begin(), frame.end(), room.begin());
    return frame.size();
  }
  return 0;
}

std::optional<milliseconds> SlirpNetwork::fill(std::vector<pollfd>& fds) {
  const std::lock_guard guard(mutex_);
  std::uint32_t wait = UINT32_MAX;
  filling_ = &fds;
  slirp_pollfds_fill(slirp_, &wait, add_poll, this);
  filling_ = nullptr;
  std::optional<milliseconds> limit;
  if (wait != UINT32_MAX) limit = milliseconds(wait);
  for (const Alarm& alarm : alarms_) {
    if (!alarm.at) continue;
    const milliseconds left(std::max<std::int64_t>(*alarm.at - now_ms(), 0));
    limit = std::min(limit.value_or(left), left);
  }
  return limit;
}

void SlirpNetwork::poll(const std::vector<pollfd>& fds) {
  const std::lock_guard guard(mutex_);
  polled_ = &fds;
  slirp_pollfds_poll(slirp_, 0, polled, this);
  polled_ = nullptr;
  ring_alarms();
}

void SlirpNetwork::ring_alarms() {
  // An alarm may set itself anew; none is removed by another.
  for (Alarm& alarm : alarms_) {
    if (!alarm.at || *alarm.at > now_ms()) continue;
    alarm.at.reset();
    alarm.act(alarm.opaque);
  }
}

}  // namespace vmctl
