// SPDX-License-Identifier: GPL-2.0-only
#include "counting.hpp"

#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <thread>

namespace t {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kCode = 0x1000;     // of vCPU n: 0x100 * n further
constexpr std::uint16_t kNumbers = 0x2000;  // of vCPU n: 64 * n further
constexpr std::uint32_t kFirst = 2;         // what reset() puts into rax

Bytes count_at(std::uint16_t at) {
  const auto low = [](unsigned word) { return static_cast<std::uint8_t>(word); };
  const auto high = [](unsigned word) { return static_cast<std::uint8_t>(word >> 8); };
  return {0x66, 0x40,                                        // inc eax
          0x66, 0xa3, low(at), high(at),                     // mov [at], eax
          0x66, 0xff, 0x06,    low(at + 4U), high(at + 4U),  // inc dword [at + 4]
          0xeb, 0xf3};                                       // again
}

std::atomic_ref<std::uint32_t> number(const Mapping& memory, unsigned vcpu, unsigned which) {
  return std::atomic_ref(*reinterpret_cast<std::uint32_t*>(
      memory.data() + kNumbers + std::size_t{64} * vcpu + std::size_t{4} * which));
}

void run(const Vcpu& cpu) {
  for (Ret r = 0; r.ok() || r == -EINTR || r == -EAGAIN;) r = cpu.enter();
}

}  // namespace

Counting::Counting(unsigned vcpus)
    : vcpus_(vcpus),
      memory_(Machine::kMemory, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS),
      last_(vcpus) {
  for (unsigned i = 0; i < vcpus; ++i) {
    const Bytes code = count_at(static_cast<std::uint16_t>(kNumbers + 64 * i));
    std::copy(code.begin(), code.end(), memory_.data() + kCode + std::size_t{0x100} * i);
    for (unsigned which : {0U, 1U}) number(memory_, i, which) = kFirst;
  }
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) live();
}

Counting::~Counting() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  // Threads that this process traces are its own to bury, before the process as a whole.
  for (pid_t gone = 0; gone != pid_ && gone != -1;) gone = ::waitpid(-1, nullptr, __WALL);
}

void Counting::live() const {
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(300);
  const Fd system = open_device();
  const Fd vm(create_vm(system, "counting"));
  if (!set_slot(vm, 0, 0, memory_.size(), memory_.address()).ok()) ::_exit(1);
  const auto play = [&](unsigned i) {
    const Vcpu cpu(vm, i);
    if (!cpu.reset(static_cast<std::uint16_t>(kCode + 0x100 * i)).ok()) ::_exit(2);
    run(cpu);
    ::_exit(kLeft);
  };
  for (unsigned i = 1; i < vcpus_; ++i) std::thread(play, i).detach();
  play(0);
  ::_exit(kLeft);
}

std::uint32_t Counting::count(unsigned vcpu) const {
  return number(memory_, vcpu, 0);
}

std::vector<std::uint32_t> Counting::counts() const {
  std::vector<std::uint32_t> all;
  for (unsigned i = 0; i < vcpus_; ++i) all.push_back(count(i));
  return all;
}

bool Counting::runs() const {
  const auto before = counts();
  return eventually([&] {
    const auto now = counts();
    return std::equal(now.begin(), now.end(), before.begin(), std::not_equal_to<>());
  });
}

bool Counting::stands() const {
  const auto before = counts();
  std::this_thread::sleep_for(20ms);
  return counts() == before;
}

bool Counting::is_whole() {
  for (unsigned i = 0; i < vcpus_; ++i) {
    // Read while it stands; the register is stored first and may be one ahead.
    const std::uint32_t first = number(memory_, i, 0);
    const std::uint32_t second = number(memory_, i, 1);
    if (first - second > 1 || first < last_[i]) return false;
    last_[i] = first;
  }
  return true;
}

int Counting::wait() {
  int status = -1;
  if (eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) pid_ = -1;
  return status;
}

}  // namespace t
