// SPDX-License-Identifier: GPL-2.0
#include "machine/exit_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.hpp"
#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

constexpr std::size_t kItemsShown = 16;

const char* name(Direction direction) {
  return direction == Direction::in ? "in" : "out";
}

// The first of `data` in items of `size` bytes: "0x68 0x69 'hi'"; "..." where there is more.
std::string format_items(std::span<const std::uint8_t> data, std::size_t size) {
  const std::size_t shown = std::min(data.size() / size, kItemsShown);
  std::string text;
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}{:#0{}x}", i == 0 ? "" : " ",
                        little_endian(data.subspan(i * size, size)), 2 + 2 * size);
  if (shown < data.size() / size) text += " ...";
  const auto letters = data.first(shown * size);
  if (size == 1 && printable(letters))
    text += fmt::format(
        " '{}'", std::string_view(reinterpret_cast<const char*>(letters.data()), letters.size()));
  return text;
}

struct Describe {
  std::string operator()(const IoExit& io) const {
    return fmt::format(" {} port {:#x} size {} count {} data {}", name(io.direction), io.port,
                       io.size, io.count, format_items(io.data, io.size));
  }
  std::string operator()(const MmioExit& mmio) const {
    return fmt::format(" {} gpa {:#x} size {} data {}",
                       mmio.direction == Direction::in ? "read" : "write", mmio.gpa.value,
                       mmio.data.size(), format_items(mmio.data, mmio.data.size()));
  }
  std::string operator()(const MsrExit& msr) const {
    const auto value = msr.direction == Direction::out ? msr.value : little_endian(msr.data);
    return fmt::format(" msr {:#x} {}", msr.index,
                       msr.refuse != 0 ? "#GP" : fmt::format("value {:#x}", value));
  }
  std::string operator()(const FailEntryExit& failed) const {
    return fmt::format(" hardware reason {:#x} cpu {}", failed.hardware_reason, failed.cpu);
  }
  std::string operator()(const InternalErrorExit& error) const {
    std::string text = fmt::format(" {}", suberror_name(error.suberror));
    for (std::uint32_t i = 0; i < error.count; ++i) text += fmt::format(" {:#x}", error.data[i]);
    return text;
  }
  std::string operator()(const MemoryFaultExit& fault) const {
    return fmt::format(" gpa {:#x} size {:#x} flags {:#x}", fault.gpa.value, fault.size,
                       fault.flags);
  }
  std::string operator()(const OtherExit& other) const {
    return fmt::format(" detail {:#x}", other.detail);
  }
  std::string operator()(const MalformedExit& malformed) const {
    return fmt::format(" malformed: {}", malformed.why);
  }
  std::string operator()(const HltExit&) const { return ""; }
  std::string operator()(const IrqWindowExit&) const { return ""; }
  std::string operator()(const DebugStopExit&) const { return ""; }
  std::string operator()(const ShutdownExit&) const { return ""; }
  std::string operator()(const IntrExit&) const { return ""; }
};

struct DescribeJson {
  nlohmann::json& json;

  void operator()(const IoExit& io) const {
    json["direction"] = name(io.direction);
    json["port"] = io.port;
    json["size"] = io.size;
    json["count"] = io.count;
    json["data"] = hex(io.data);
  }
  void operator()(const MmioExit& mmio) const {
    json["direction"] = mmio.direction == Direction::in ? "read" : "write";
    json["gpa"] = mmio.gpa.value;
    json["size"] = mmio.data.size();
    json["data"] = hex(mmio.data);
  }
  void operator()(const MsrExit& msr) const {
    json["msr"] = msr.index;
    json["value"] = msr.direction == Direction::out ? msr.value : little_endian(msr.data);
    json["refused"] = msr.refuse != 0;
  }
  void operator()(const FailEntryExit& failed) const {
    json["hardware_reason"] = failed.hardware_reason;
    json["cpu"] = failed.cpu;
  }
  void operator()(const InternalErrorExit& error) const {
    json["suberror"] = suberror_name(error.suberror);
    auto& data = json["data"] = nlohmann::json::array();
    for (std::uint32_t i = 0; i < error.count; ++i) data.push_back(error.data[i]);
  }
  void operator()(const MemoryFaultExit& fault) const {
    json["gpa"] = fault.gpa.value;
    json["size"] = fault.size;
    json["flags"] = fault.flags;
  }
  void operator()(const OtherExit& other) const { json["detail"] = other.detail; }
  void operator()(const MalformedExit& malformed) const { json["malformed"] = malformed.why; }
  void operator()(const HltExit&) const {}
  void operator()(const IrqWindowExit&) const {}
  void operator()(const DebugStopExit&) const {}
  void operator()(const ShutdownExit&) const {}
  void operator()(const IntrExit&) const {}
};

}  // namespace

std::string format_exit(const Exit& exit, std::optional<std::uint64_t> rip) {
  std::string text = exit_name(exit_reason(exit)) + std::visit(Describe{}, exit);
  if (rip) text += fmt::format(" rip {:#x}", *rip);
  return text;
}

nlohmann::json exit_to_json(const Exit& exit, std::optional<std::uint64_t> rip) {
  nlohmann::json json{{"exit", exit_name(exit_reason(exit))}};
  std::visit(DescribeJson{json}, exit);
  if (rip) json["rip"] = *rip;
  return json;
}

}  // namespace vmctl
