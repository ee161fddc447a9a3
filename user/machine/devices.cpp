// SPDX-License-Identifier: GPL-2.0
#include "machine/devices.hpp"

#include <fmt/format.h>

#include "base/bytes.hpp"
#include "machine/layout.hpp"

namespace vmctl {
namespace {

void end_by_debug_exit(Ending& ending, DebugExitStyle style, std::uint32_t value) {
  const auto [status, clamped] = debug_exit_status(style, value);
  ending.end({.kind = EndKind::debug_exit,
              .status = status,
              .reason = clamped
                            ? fmt::format("the guest ended with {} on the debug-exit port, more "
                                          "than a status holds: {} stands for it",
                                          value, status)
                            : fmt::format("the guest ended with {} on the debug-exit port", value),
              .details = ""});
}

std::function<void()> reset_by(Ending& ending, std::string_view who) {
  return [&ending, who] {
    ending.end({.kind = EndKind::reset,
                .status = 0,
                .reason = fmt::format("the guest asked for a reset through the {}", who),
                .details = ""});
  };
}

void power_off(Ending& ending) {
  ending.end({.kind = EndKind::power_off,
              .status = 0,
              .reason = "the guest switched itself off",
              .details = ""});
}

tl::unexpected<Error> refuse_file(std::string_view option, const std::string& path, bool image) {
  return fail({.status = Status::usage,
               .what = fmt::format("{} file:{}", option, escaped(path)),
               .why = image ? "it is the guest's image, which would be overwritten"
                            : "the other serial port writes to it"});
}

RtcConfig rtc_config(const DevicesConfig& config, Devices::Memory memory) {
  return {.start = config.rtc.value_or(
              std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())),
          .memory_below_4g = memory.below_4g,
          .memory_above_4g = memory.above_4g};
}

}  // namespace

Devices::Devices(const DevicesConfig& config, Memory memory, const Vm& vm, Ending& ending,
                 Channels channels)
    : console_(*channels.com1),
      console2_(channels.com2.get()),
      interrupts_(config.irqchip, vm),
      loop_(clock_),
      com1_(std::move(channels.com1), interrupts_.line(layout::kCom1Irq), loop_,
            [this] { interrupts_.notify(); }),
      rtc_timer_(loop_.timer([this] { rtc_.on_timer(); })),
      rtc_(clock_, *rtc_timer_, interrupts_.line(layout::kRtcIrq), rtc_config(config, memory)),
      i8042_(reset_by(ending, "keyboard controller (0x64)")),
      system_control_(reset_by(ending, "system control port A (0x92)")),
      reset_control_(reset_by(ending, "reset control register (0xcf9)")),
      config_address_(reset_control_),
      debug_console_(com1_.channel()),
      debug_exit_([&ending, style = config.debug_exit](std::uint32_t value) {
        end_by_debug_exit(ending, style, value);
      }),
      post_([this](std::uint8_t code) { post_code_ = code; }),
      pm_timer_(clock_),
      acpi_pm_(interrupts_.line(layout::kSciIrq), [&ending] { power_off(ending); }) {
  if (channels.com2)
    com2_.emplace(std::move(channels.com2), interrupts_.line(layout::kCom2Irq), loop_,
                  [this] { interrupts_.notify(); });
}

Result<std::unique_ptr<Devices>> Devices::build(const DevicesConfig& config, Memory memory,
                                                const Vm& vm, Ending& ending,
                                                const std::optional<FileId>& image) {
  Channels channels;
  channels.com1 = TRY(Console::open(config.com1, ending));
  if (config.com2.kind != ChannelSpec::Kind::none)
    channels.com2 = TRY(Console::open(config.com2, ending));
  const auto com1 = channels.com1->file();
  const auto com2 = channels.com2 ? channels.com2->file() : std::nullopt;
  if (com1 && (com1 == image || com1 == com2))
    return refuse_file("--console", config.com1.path, com1 == image);
  if (com2 && com2 == image) return refuse_file("--com2", config.com2.path, true);
  return std::unique_ptr<Devices>(new Devices(config, memory, vm, ending, std::move(channels)));
}  // NOLINT(clang-analyzer-cplusplus.NewDeleteLeaks): com1 is in channels; tl::expected hides it

Result<> Devices::begin() {
  TRY(com1_.channel().begin());
  if (com2_) TRY(com2_->channel().begin());
  return {};
}

void Devices::start(MachineControl& machine) {
  console_.start(machine);
  if (console2_ != nullptr) console2_->start(machine);
}

std::vector<std::string> Devices::stop(std::string_view end) {
  loop_.stop();
  std::vector<std::string> notes{console_.stop(end)};
  if (console2_ != nullptr) notes.push_back(console2_->stop(end));
  return notes;
}

Result<> Devices::place(Bus& ports) {
  using namespace layout;
  const auto claim = [&](const Range& range, Device& device, Widths widths = kBytes) {
    return ports.claim(range.base, range.size, std::string(range.name), device, widths);
  };
  if (Pic* pic = interrupts_.pic(); pic != nullptr) {
    TRY(claim(kPicMaster, pic->master()));
    TRY(claim(kPicSlave, pic->slave()));
    TRY(claim(kElcr, pic->elcr()));
  }
  TRY(claim(kI8042Data, i8042_.data()));
  TRY(claim(kI8042Command, i8042_.command()));
  TRY(claim(kRtc, rtc_));
  TRY(claim(kPost, post_));
  TRY(claim(kSystemControlA, system_control_));
  TRY(claim(kDebugConsole, debug_console_));
  TRY(claim(kDebugExit, debug_exit_, kUpToDwords));
  TRY(claim(kCom1, com1_.uart()));
  if (com2_) TRY(claim(kCom2, com2_->uart()));
  TRY(claim(kPm1Event, acpi_pm_.events(), kUpToDwords));
  TRY(claim(kPm1Control, acpi_pm_.control(), kUpToDwords));
  TRY(claim(kPmTimer, pm_timer_, kUpToDwords));
  TRY(claim(kConfigAddress, config_address_, kUpToDwords));
  return {};
}

bool Devices::may_interrupt() {
  const Pic* pic = interrupts_.pic();
  if (pic == nullptr) return true;  // KVM knows
  return (pic->listens(layout::kCom1Irq) && com1_.may_interrupt()) ||
         (com2_ && pic->listens(layout::kCom2Irq) && com2_->may_interrupt()) ||
         (pic->listens(layout::kRtcIrq) && rtc_.may_interrupt()) ||
         (pic->listens(layout::kSciIrq) && acpi_pm_.power_button_enabled());
}

bool Devices::press_power_button() {
  acpi_pm_.press_power_button();
  return acpi_pm_.power_button_enabled();
}

std::optional<std::uint8_t> Devices::post_code() const {
  const int code = post_code_;
  return code < 0 ? std::nullopt : std::optional(static_cast<std::uint8_t>(code));
}

}  // namespace vmctl
