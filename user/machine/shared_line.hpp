// SPDX-License-Identifier: GPL-2.0
// One interrupt line that several devices pull: high while any of them does.
#pragma once

#include <memory>
#include <mutex>

#include "bus/line.hpp"

namespace vmctl {

class SharedLine {
 public:
  // `line` must outlive it.
  explicit SharedLine(InterruptLine& line) : line_(line) {}

  // A device's end, low at first; must not outlive this.
  std::unique_ptr<InterruptLine> end() { return std::make_unique<End>(*this); }

 private:
  class End final : public InterruptLine {
   public:
    explicit End(SharedLine& owner) : owner_(owner) {}
    void set(bool level) override {
      const std::lock_guard guard(owner_.lock_);
      if (level == level_) return;
      level_ = level;
      owner_.high_ += level ? 1 : -1;
      if (owner_.high_ == (level ? 1 : 0)) owner_.line_.set(level);
    }

   private:
    SharedLine& owner_;
    bool level_ = false;  // guarded by owner_.lock_
  };

  InterruptLine& line_;
  std::mutex lock_;
  int high_ = 0;  // how many pull; guarded by lock_
};

}  // namespace vmctl
