// SPDX-License-Identifier: GPL-2.0-only
//
// Threads that throw random commands, valid and not, at random descriptors,
// while VMs come, go and are revoked. What counts is what is left afterwards:
// nothing, and no complaint of the kernel's.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include "commands.hpp"
#include "image.hpp"

namespace {

using namespace t;
using namespace std::chrono_literals;

class Stress : public Own {};

constexpr int kSlots = 8;
// What arguments may point to, and behind it room for what KVM writes there.
constexpr std::size_t kTargets = 0x42000;
constexpr std::size_t kRoom = 0x10000;

// Descriptors that all threads share, and replace under each other's hands.
struct Board {
  std::array<std::atomic<int>, kSlots> fds;
  Mapping memory = Mapping::memory(kTargets + kRoom);
  Fd image = file_of(pattern(0x8000));
  std::atomic<bool> stop = false;
  std::atomic<int> players = 0;
  std::atomic<long> commands = 0;
  std::atomic<long> successes = 0;

  Board() {
    for (auto& fd : fds) fd = -1;
  }
};

class Player {
 public:
  Player(Board& board, unsigned seed) : board_(board), random_(seed) {}

  void play() {
    ++board_.players;
    while (!board_.stop) step();
    --board_.players;
  }

 private:
  std::uint64_t any(std::uint64_t below) { return random_() % below; }

  // A number: small, a power of two or one beside it, or anything.
  std::uint64_t value() {
    switch (any(4)) {
      case 0:
        return any(8);
      case 1:
        return (std::uint64_t{1} << any(64)) + any(3) - 1;
      case 2:
        return board_.memory.address() + any(kTargets);
      default:
        return random_();
    }
  }
  int fd() { return board_.fds[any(kSlots)]; }

  void put(Ret made) {
    if (!made.ok()) return;
    const int old = board_.fds[any(kSlots)].exchange(static_cast<int>(made.value));
    if (old >= 0) ::close(old);
  }

  unsigned long number() {
    switch (any(8)) {
      case 0:
        return any(2) != 0 ? random_() & 0xffffffff : _IO(KVMIO, any(256));
      case 1:
        return kSystemCommands[any(std::size(kSystemCommands))].number;
      case 2:
      case 3:
        return kVmCommands[any(std::size(kVmCommands))].number;
      case 4:
      case 5:
        return kVcpuCommands[any(std::size(kVcpuCommands))].number;
      case 6:
        return _IOC(any(4), VMCTL_IOC_MAGIC, any(6), any(700));
      default:
        return std::array<unsigned long, 4>{VMCTL_GET_INFO, VMCTL_GET_STATS, VMCTL_LOAD_IMAGE,
                                            VMCTL_REVOKE_VM}[any(4)];
    }
  }

  void random_command() {
    const unsigned long command = number();
    // These make descriptors, which must not be lost from sight; RUN could stay in.
    if (command == KVM_CREATE_VM || command == KVM_CREATE_VCPU || command == KVM_RUN ||
        (_IOC_TYPE(command) == VMCTL_IOC_MAGIC && _IOC_NR(command) == 1)) {
      return;
    }
    for (std::size_t i = 0; i < 8; ++i) room_[any(room_.size())] = value();
    if (any(2) != 0) room_.fill(0);
    Ret r = 0;
    switch (any(3)) {
      case 0:
        r = ctl(fd(), command, room_.data());
        break;
      case 1:
        r = ctl(fd(), command, value());
        break;
      default:
        r = ctl(fd(), command);
    }
    ++board_.commands;
    if (r.ok()) ++board_.successes;
  }

  void run() {
    const int cpu = fd();
    const Mapping page(3 * page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, cpu);
    if (!page.valid()) return;
    auto& run = *reinterpret_cast<kvm_run*>(page.data());
    run.immediate_exit = static_cast<std::uint8_t>(any(4) == 0);
    kvm_sregs sregs{};
    if (!ctl(cpu, KVM_GET_SREGS, &sregs).ok()) return;
    sregs.cs.base = sregs.cs.selector = 0;
    (void)ctl(cpu, KVM_SET_SREGS, &sregs);
    const kvm_regs regs{.rflags = 2};
    (void)ctl(cpu, KVM_SET_REGS, &regs);
    for (int i = 0; i < 5; ++i) (void)ctl(cpu, KVM_RUN);
  }

  void step() {
    switch (any(16)) {
      case 0:
        put(ctl(fd(), KVM_CREATE_VM));
        break;
      case 1:
        put(create_vm(fd(), "stress", nullptr, static_cast<std::uint32_t>(any(2))));
        break;
      case 2:
      case 3:
        put(ctl(fd(), KVM_CREATE_VCPU, any(4)));
        break;
      case 4:
        put(Ret::of(::open("/dev/vmctl", O_RDWR | O_CLOEXEC)));
        break;
      case 5:
        (void)set_slot(fd(), static_cast<unsigned>(any(3)), any(3) * 0x20000, any(2) * 0x20000,
                       board_.memory.address());
        break;
      case 6:
        (void)load(fd(), any(4) == 0 ? fd() : board_.image, any(0x100), any(0x8000), any(0x20000));
        break;
      case 7: {
        char text[300];
        if (::read(fd(), text, any(sizeof text)) < 0) return;
        break;
      }
      case 8: {
        const auto rows = lines_of(slurp("/dev/vmctl"));
        if (rows.empty() || any(8) != 0) return;
        const auto row = parse_row(rows[any(rows.size())]);
        EXPECT_TRUE(row);
        if (row) (void)revoke(fd(), row->id);
        break;
      }
      case 9: {
        pollfd one{.fd = fd(), .events = POLLIN, .revents = 0};
        (void)::poll(&one, 1, 0);
        break;
      }
      case 10:
        run();
        break;
      default:
        for (int i = 0; i < 30 && !board_.stop; ++i) random_command();
    }
  }

  Board& board_;
  std::mt19937_64 random_;
  alignas(8) std::array<std::uint64_t, 2048> room_{};
};

// What a player came to, with the next seed if he hurt himself: random commands make any memory
// of a process the guest's.
std::string play(unsigned seed, unsigned seconds, std::string (*game)(unsigned seed)) {
  for (int turn = 0;; ++turn, seed += 1000) {
    std::cout << "seed: VMCTL_TEST_SEED=" << seed << "\n" << std::flush;
    const std::string said = in_child([&] { return game(seed); }, seconds);
    EXPECT_TRUE(eventually([] { return table().empty(); }));
    if (turn == 4 || said != "child died of signal 11") return said;
  }
}

std::string play_to_the_end(unsigned seed) {
  Board board;
  board.memory.data()[0] = 0xf4;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) {
    threads.emplace_back([&board, seed, i] { Player(board, seed + i).play(); });
  }
  // A guest may wait for an interrupt that never comes: only revocation ends that.
  std::thread ends([&board] {
    const Fd system = open_device();
    while (!board.stop || board.players > 0) {
      for (const Row& row : table()) (void)revoke(system, row.id);
      std::this_thread::sleep_for(board.stop ? 10ms : 150ms);
    }
  });
  // Six seconds, or what a slow machine takes.
  const auto begin = std::chrono::steady_clock::now();
  const auto enough = [&] { return board.commands > 5000 && board.successes > 100; };
  for (auto now = begin; now < begin + (enough() ? 6s : 60s);
       now = std::chrono::steady_clock::now()) {
    std::this_thread::sleep_for(50ms);
  }
  board.stop = true;
  for (std::thread& thread : threads) thread.join();
  ends.join();
  std::cout << board.commands << " random commands, " << board.successes << " of them answered\n"
            << std::flush;
  return enough() ? "" : "hardly anything was tried";
}

TEST_F(Stress, RandomCommandsLeaveNothing) {
  const char* given = std::getenv("VMCTL_TEST_SEED");
  const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 0))
                                         : std::random_device()();
  EXPECT_EQ(play(seed, 120, play_to_the_end), "");
}

std::string play_for_ever(unsigned seed) {
  Board board;
  std::thread other([&] { Player(board, seed).play(); });
  Player(board, seed + 100).play();
  return "came back";
}

// The same, and nobody waits for its end.
TEST_F(Stress, AKilledPlayerLeavesNothing) {
  for (unsigned turn = 0; turn < 5; ++turn) {
    EXPECT_EQ(play(turn, 1, play_for_ever), "child died of signal 14");
  }
}

}  // namespace
