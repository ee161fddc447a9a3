// SPDX-License-Identifier: GPL-2.0
#include "net/tap.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <array>
#include <cstring>

namespace vmctl {
namespace {

constexpr const char* kTunNode = "/dev/net/tun";

Failure cannot(std::string what, int error, std::string advice) {
  const bool forbidden = error == EPERM || error == EACCES;
  return fail({.status = forbidden ? Status::refused : Status::unavailable,
               .what = std::move(what),
               .why = errno_text(error),
               .advice = std::move(advice)});
}

std::string advice_for_node(int error) {
  switch (error) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return "load the kernel's module: modprobe tun";
    case EACCES:
    case EPERM:
      return "it is for those who may write to it: see ls -l /dev/net/tun";
    default:
      return "";
  }
}

std::string advice_for_interface(int error, const std::string& name) {
  switch (error) {
    case EPERM:
    case EACCES:
      return fmt::format(
          "have root make one of yours: ip tuntap add dev {} mode tap user $USER; "
          "ip link set {} up",
          name, name);
    case EBUSY:
      return "another program has it, or it has several queues; give another interface";
    case EINVAL:
      return "there is an interface of this name that is no tap; give another name";
    default:
      return "";
  }
}

}  // namespace

Result<std::unique_ptr<NetBackend>> Tap::open(const std::string& interface) {
  Fd fd(::open(kTunNode, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.valid())
    return cannot(fmt::format("cannot open {}", kTunNode), errno, advice_for_node(errno));
  // Without the header of offloads: frames then are whole and their checksums right.
  ifreq request{};
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  interface.copy(&request.ifr_name[0], IFNAMSIZ - 1);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0)
    return cannot(fmt::format("cannot have tap interface {}", interface), errno,
                  advice_for_interface(errno, interface));
  // One of an earlier owner may still be set so.
  if (::ioctl(fd.get(), TUNSETOFFLOAD, 0UL) != 0)
    return cannot(fmt::format("cannot switch offloads of {} off", interface), errno, "");
  return std::unique_ptr<NetBackend>(std::make_unique<Tap>(std::move(fd)));
}

void Tap::start(std::function<bool()> arrived) {
  paused_ = false;
  const auto fill = [this](std::vector<pollfd>& fds) -> std::optional<std::chrono::milliseconds> {
    if (!paused_) fds.push_back({.fd = fd_.get(), .events = POLLIN, .revents = 0});
    return std::nullopt;
  };
  const auto ready = [this, arrived = std::move(arrived)](const std::vector<pollfd>& fds) {
    if (fds.empty() || fds[0].revents == 0) return;
    // Paused first: a resume() that comes meanwhile is not lost.
    paused_ = true;
    // An interface that was taken away has nothing but errors to tell.
    if ((fds[0].revents & POLLIN) != 0 && arrived()) paused_ = false;
  };
  thread_.start({.fill = fill, .ready = ready});
}

void Tap::resume() {
  if (paused_.exchange(false)) thread_.wake();
}

void Tap::send(std::span<const std::uint8_t> frame) {
  // EAGAIN, EIO (it is down), EINVAL (shorter than a header): the frame is lost.
  [[maybe_unused]] const ssize_t done = ::write(fd_.get(), frame.data(), frame.size());
}

std::size_t Tap::receive(std::span<std::uint8_t> room) {
  // What does not fit is cut off; one byte more shows that.
  for (;;) {
    std::uint8_t more = 0;
    std::array<iovec, 2> parts{iovec{room.data(), room.size()}, iovec{&more, 1}};
    const ssize_t got = ::readv(fd_.get(), parts.data(), parts.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return 0;
    if (static_cast<std::size_t>(got) <= room.size()) return static_cast<std::size_t>(got);
  }
}

}  // namespace vmctl
