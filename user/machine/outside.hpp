// SPDX-License-Identifier: GPL-2.0
// What a machine stands in, and what outlives it when it is made anew for a reset: its clock, the
// far ends of its serial ports with the thread that serves them, and the end that it comes to.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "console/channel.hpp"
#include "console/console.hpp"
#include "run/ending.hpp"
#include "run/event_loop.hpp"

namespace vmctl {

class Outside {
 public:
  // Opens the far ends, at the first call; refuses those that would write to `image`, or both to
  // one file. `com2`: none if its kind is.
  Result<> open(const ChannelSpec& com1, const ChannelSpec& com2,
                const std::optional<FileId>& image);
  // Empties the files that they write to, at the first call.
  Result<> begin();

  // Around a run, as Console has them; the loop's thread may run from the one to the other. What
  // is paused is started again, for another machine. stop() returns what there is to say of output
  // that nobody read.
  void start(MachineControl& machine);
  void pause();
  std::vector<std::string> stop(std::string_view end);

  Ending& ending() { return ending_; }
  MachineClock& clock() { return clock_; }
  EventLoop& loop() { return loop_; }
  // When open.
  Console& com1() { return *com1_; }
  Console* com2() { return com2_.get(); }
  // What the host's clock showed at the time 0 of clock(), in UTC.
  std::chrono::sys_seconds started() const { return started_; }

 private:
  Ending ending_;
  MachineClock clock_;
  std::chrono::sys_seconds started_ =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  EventLoop loop_{clock_};
  std::unique_ptr<Console> com1_;
  std::unique_ptr<Console> com2_;
  bool begun_ = false;
};

}  // namespace vmctl
