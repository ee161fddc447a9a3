// SPDX-License-Identifier: GPL-2.0
#include "machine/interrupts.hpp"

#include <poll.h>

namespace vmctl {

Interrupts::Interrupts(Irqchip irqchip, const Vm& vm) : vm_(vm) {
  for (unsigned irq = 0; irq < kLines; ++irq) {
    wires_[irq].owner_ = this;
    wires_[irq].irq_ = irq;
  }
  if (irqchip == Irqchip::kernel) return;
  pic_.emplace();
  pic_->on_change([this] { notify(); });
}

void Interrupts::connect(Tracer* tracer, std::function<void()> kick) {
  tracer_ = tracer;
  kick_ = std::move(kick);
}

void Interrupts::set(unsigned irq, bool level) {
  if (tracer_ != nullptr) tracer_->line(irq, level);
  if (pic_ && irq < Pic::kLines)
    pic_->line(irq).set(level);
  else if (!pic_)  // fails only on a VM that was revoked, which its vCPUs will notice
    static_cast<void>(vm_.set_irq_line(irq, level));
}

void Interrupts::notify() {
  // After pending() has become true; wait() asks for that after it has said so. All four are
  // sequentially consistent: one of them sees the other.
  if (waiting_.load())
    wake_.set();
  else if (kick_)
    kick_();
}

bool Interrupts::wait(const Ending& ending, const std::function<bool()>& may_come) {
  waiting_.store(true);
  bool found = false;
  while (!ending.stopping()) {
    found = pic_->pending();
    if (found) break;
    if (!may_come()) {
      found = pic_->pending();  // the last that came
      break;
    }
    std::array<pollfd, 2> fds{{{.fd = wake_.fd(), .events = POLLIN, .revents = 0},
                               {.fd = ending.stop_fd(), .events = POLLIN, .revents = 0}}};
    ::poll(fds.data(), fds.size(), -1);
    wake_.clear();
  }
  waiting_.store(false);
  return found;
}

}  // namespace vmctl
