// SPDX-License-Identifier: GPL-2.0-only
//
// Processes that come and go in every way, for as long as wished: all counts
// must be back at the end. VMCTL_SOAK says for how many seconds; without it,
// the case is short.
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>
#include <thread>

#include "driver.hpp"
#include "kmsg.hpp"
#include "loadable.hpp"
#include "state.hpp"

namespace {

using namespace t;
using Clock = std::chrono::steady_clock;

// Takes the module out whenever nobody holds it, and puts it back.
class Remover {
 public:
  Remover() : thread_([this] { work(); }) {}
  Remover(const Remover&) = delete;
  Remover& operator=(const Remover&) = delete;
  ~Remover() {
    stop_ = true;
    thread_.join();
  }
  std::atomic<int> tries = 0;
  std::atomic<int> done = 0;
  std::atomic<long> error = 0;

 private:
  void work() {
    while (!stop_) {
      ++tries;
      Ret r = vmctl().remove();
      if (r.ok()) {
        ++done;
        r = vmctl().insert();
      }
      if (!r.ok() && !Loadable::busy(r)) error = r.value;
      std::this_thread::sleep_for(std::chrono::milliseconds(7));
    }
  }
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

using Random = std::minstd_rand;

// A machine with a second vCPU, let go piece by piece in some order.
void close_in_any_order(Random& random) {
  Machine machine = named(guest::outs(5), "order");
  if (machine.built != 0) return;  // the module is away
  Vcpu second(machine.vm, 1);
  (void)machine.cpu.enter();
  std::array<int, 6> order = {0, 1, 2, 3, 4, 5};
  std::shuffle(order.begin(), order.end(), random);
  for (const int part : order) {
    switch (part) {
      case 0:
        machine.system.close();
        break;
      case 1:
        machine.vm.close();
        break;
      case 2:
        machine.cpu.fd.close();
        break;
      case 3:
        machine.cpu.page.unmap();
        break;
      case 4:
        second.fd.close();
        break;
      default:
        second.page.unmap();
    }
  }
}

// In a child, which never comes back.
[[noreturn]] void live(unsigned kind, Random& random) {
  const Machine machine = named(kind % 2 == 0 ? guest::loop() : guest::outs_forever(), "soak");
  std::thread runner;
  switch (kind) {
    case 0:
    case 1:
      while (machine.built == 0 && machine.cpu.enter().ok()) {
      }
      break;
    case 2:
      // Exec with a thread in the guest.
      runner = std::thread([&] { (void)machine.run(); });
      ::execlp("true", "true", nullptr);
      break;
    case 3:
      // A child of its own inherits all, and outlives it.
      if (::fork() == 0) {
        ::usleep(random() % 5000);
        ::_exit(0);
      }
      break;
    default:
      for (int turn = 0; turn < 5; ++turn) close_in_any_order(random);
  }
  ::_exit(0);
}

TEST(Soak, EverythingComesBack) {
  if (!device_is_vmctl()) GTEST_SKIP() << "vmctl's own: not on " << device();
  if (!vmctl().found()) GTEST_SKIP() << "vmctl.ko is not to be found: set VMCTL_MODULE";
  const char* wished = std::getenv("VMCTL_SOAK");
  const auto length = std::chrono::seconds(wished != nullptr ? std::atol(wished) : 5);
  const auto start = Clock::now();
  const State before = State::now();
  Random random(20260401);
  int processes = 0;
  int killed = 0;
  {
    const Remover remover;
    auto told = start;
    while (Clock::now() < start + length) {
      const auto kind = static_cast<unsigned>(random() % 5);
      const unsigned delay = random() % 20000;
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) live(kind, random);
      ++processes;
      ::usleep(delay);
      ::kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      killed += WIFSIGNALED(status) ? 1 : 0;
      ASSERT_FALSE(WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) << status;
      if (Clock::now() - told > std::chrono::seconds(20)) {
        told = Clock::now();
        std::cout << processes << " processes, " << remover.done << " times unloaded" << std::endl;
        complaints_so_far();
      }
    }
    EXPECT_EQ(Ret(remover.error), 0);
    std::cout << processes << " processes, " << killed << " killed, " << remover.tries
              << " times to be unloaded, " << remover.done << " times done\n";
  }
  // The grandchildren are gone, too, and whatever was on its way out.
  EXPECT_TRUE(eventually([&] { return State::now() == before; }, std::chrono::seconds(10)))
      << State::now() << "\nshould be " << before;
  EXPECT_EQ(vmctl().remove_soon(), 0) << "nothing holds it";
  EXPECT_EQ(vmctl().insert(), 0);
  complaints_so_far();
}

}  // namespace
