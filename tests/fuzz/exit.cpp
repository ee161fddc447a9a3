// SPDX-License-Identifier: GPL-2.0
// The run page of a vCPU, which nothing in it is to be believed of.
#include "vm/exit.hpp"

#include <vector>

#include "machine/exit_text.hpp"
#include "property.hpp"

using namespace vmctl;
using namespace vmctl::fuzz;

namespace {

struct Bounds {
  std::span<const std::uint8_t> mapping;

  void within(std::span<const std::uint8_t> data) const {
    require(!data.empty() && data.data() >= mapping.data() &&
                data.data() + data.size() <= mapping.data() + mapping.size(),
            "an exit's data is of the mapping");
  }
  void operator()(const IoExit& io) const {
    within(io.data);
    require(io.data.size() == std::uint64_t{io.size} * io.count, "all of it, and no more");
    require(io.data.data() >= mapping.data() + sizeof(kvm_run), "behind the page's own part");
  }
  void operator()(const MmioExit& mmio) const {
    within(mmio.data);
    require(mmio.data.size() <= 8, "an access has eight bytes at most");
  }
  void operator()(const MsrExit& msr) const { within(msr.data); }
  void operator()(const InternalErrorExit& error) const {
    require(error.count <= error.data.size(), "an error's data is bounded");
  }
  void operator()(const MalformedExit& malformed) const {
    require(!malformed.why.empty(), "what is malformed has a reason");
  }
  template <class Other>
  void operator()(const Other& /*exit*/) const {}
};

}  // namespace

// The reason first, then what the union holds, then the rest of the mapping.
FUZZ_TARGET(data, size) {
  Input input(data, size);
  std::vector<std::uint8_t> mapping(sizeof(kvm_run) + 128);
  const auto reason = input.number<std::uint8_t>();
  mapping[offsetof(kvm_run, exit_reason)] = reason;
  for (const auto& [offset, most] :
       {std::pair<std::size_t, std::size_t>{offsetof(kvm_run, hw), 168}, {sizeof(kvm_run), 128}}) {
    const auto bytes = input.bytes(most);
    std::copy(bytes.begin(), bytes.end(), mapping.begin() + static_cast<std::ptrdiff_t>(offset));
  }

  const Exit exit = decode_exit(mapping);
  require(exit_reason(exit) == reason, "an exit keeps its reason");
  std::visit(Bounds{mapping}, exit);
  for (const auto rip : {std::optional<std::uint64_t>(0x1000), std::optional<std::uint64_t>()}) {
    require(is_safe(format_exit(exit, rip)), "an exit can be shown");
    const std::string json = exit_to_json(exit, rip).dump();
    require(is_safe(json) && nlohmann::json::parse(json).contains("exit"), "as JSON too");
  }
  return 0;
}
