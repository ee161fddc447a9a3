// SPDX-License-Identifier: GPL-2.0
// vmctl top: VMs at work, on a screen or as text.
// Its macros take names like move and timeout.
#define NCURSES_NOMACROS
#include <curses.h>
#include <fmt/format.h>
#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/size.hpp"
#include "cli/command.hpp"
#include "watch/rates.hpp"
#include "watch/top_view.hpp"

namespace vmctl::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// The table may change a thousand times a second; a screen need not.
constexpr milliseconds kLeast{250};
constexpr TopSize kNoBounds{.columns = 4096, .lines = 1 << 20};

struct TopOptions {
  std::string delay = "1";
  std::string sort = "exits";
  bool once = false;
  bool json = false;
};

std::string user_name(std::uint32_t uid) {
  static std::map<std::uint32_t, std::string> known;
  const auto [found, missing] = known.try_emplace(uid);
  if (missing) {
    // Only one thread asks.
    const passwd* user = ::getpwuid(uid);  // NOLINT(concurrency-mt-unsafe)
    found->second = user != nullptr ? user->pw_name : fmt::format("{}", uid);
  }
  return found->second;
}

Result<milliseconds> parse_delay(const std::string& text) {
  constexpr std::chrono::hours kMost{1};
  const auto delay = TRY(parse_seconds(text));
  if (delay >= kLeast && delay <= kMost) return std::chrono::duration_cast<milliseconds>(delay);
  return fail({.status = Status::usage,
               .what = fmt::format("--delay {}", text),
               .why = "not within 0.25 and 3600 seconds"});
}

// Waits until the next look is due, or until somebody types or the size changes: false then. The
// table's own changes cut it short, but not below what an eye can follow.
bool wait(const Node& node, Clock::time_point begin, milliseconds delay) {
  for (;;) {
    const auto passed = std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
    if (passed >= delay) return true;
    const bool changes = passed >= kLeast;
    pollfd waiting[] = {
        {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
        {.fd = changes ? node.fd().get() : -1, .events = POLLIN, .revents = 0},
    };
    const auto step = changes ? delay - passed : std::min(delay, kLeast) - passed;
    const int ready = ::poll(waiting, 2, static_cast<int>(step.count()));
    if (ready < 0 || waiting[0].revents != 0) return false;
    if (ready > 0) return true;
  }
}

// The terminal as curses has it, until this goes.
class Screen {
 public:
  explicit Screen(SCREEN* terminal) : terminal_(terminal) {
    ::cbreak();
    ::noecho();
    ::nodelay(stdscr, TRUE);
    ::keypad(stdscr, TRUE);
    ::curs_set(0);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() {
    ::endwin();
    ::delscreen(terminal_);
  }

  static TopSize size() {
    return {.columns = static_cast<std::size_t>(COLS), .lines = static_cast<std::size_t>(LINES)};
  }
  static void show(const std::vector<std::string>& lines) {
    ::erase();
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (i == 1) ::attron(A_REVERSE);
      ::mvaddnstr(static_cast<int>(i), 0, lines[i].c_str(), COLS);
      if (i == 1) ::attroff(A_REVERSE);
    }
    ::refresh();
  }
  // ERR when there is none.
  static int key() { return ::getch(); }

 private:
  SCREEN* terminal_;
};

// initscr() would end the program.
Result<SCREEN*> open_terminal() {
  if (SCREEN* terminal = ::newterm(nullptr, stdout, stdin)) return terminal;
  return fail({.status = Status::unavailable,
               .what = "cannot show a screen",
               .why = "this kind of terminal is not known (TERM)",
               .advice = "TERM=xterm vmctl top, or vmctl top --once"});
}

// No key of curses'.
constexpr int kInputEnded = -2;

// A terminal that has hung up is readable, and nothing comes.
int next_key() {
  const int key = Screen::key();
  pollfd input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
  if (key == ERR && ::poll(&input, 1, 0) > 0 && (input.revents & POLLHUP) != 0) return kInputEnded;
  return key;
}

// False when it is to end.
bool obey(int key, SortBy& by) {
  switch (key) {
    case kInputEnded:
    case 'q':
      return false;
    case 'i':
      by = SortBy::id;
      break;
    case 'u':
      by = SortBy::user;
      break;
    case 'n':
      by = SortBy::name;
      break;
    case 'v':
      by = SortBy::vcpus;
      break;
    case 'm':
      by = SortBy::memory;
      break;
    case 'e':
      by = SortBy::exits;
      break;
    case 'g':
      by = SortBy::guest;
      break;
    default:
      break;
  }
  return true;
}

Result<int> watch(const Node& node, milliseconds delay, SortBy by) {
  Sample before = TRY(take_sample(node));
  std::vector<VmRates> vms;
  const Screen screen(TRY(open_terminal()));
  for (auto pause = kLeast;;) {
    if (wait(node, before.at, pause)) {
      Sample now = TRY(take_sample(node));
      vms = rates(before, now);
      before = std::move(now);
      pause = delay;
    }
    for (int key = next_key(); key != ERR; key = next_key())
      if (!obey(key, by)) return 0;
    sort(vms, by);
    Screen::show(top_lines(vms, user_name, Screen::size()));
  }
}

Result<int> print_once(const Node& node, milliseconds delay, const TopOptions& options, SortBy by) {
  const Sample before = TRY(take_sample(node));
  std::this_thread::sleep_for(delay);
  auto vms = rates(before, TRY(take_sample(node)));
  sort(vms, by);
  if (options.json) {
    fmt::print("{}\n", rates_to_json(vms).dump());
    return 0;
  }
  for (const std::string& line : top_lines(vms, user_name, kNoBounds)) {
    const auto end = line.find_last_not_of(' ');
    fmt::print("{}\n", line.substr(0, end == std::string::npos ? 0 : end + 1));
  }
  return 0;
}

Result<int> top(const TopOptions& options) {
  const auto by = sort_key(options.sort);
  if (!by)
    return fail({.status = Status::usage,
                 .what = fmt::format("--sort {}", options.sort),
                 .why = "there is no such column",
                 .advice = "id, user, name, vcpus, memory, exits or guest"});
  const milliseconds delay = TRY(parse_delay(options.delay));
  const Node node = TRY(Node::open_vmctl());
  if (options.once || options.json) return print_once(node, delay, options, *by);
  if (::isatty(STDOUT_FILENO) == 0 || ::isatty(STDIN_FILENO) == 0)
    return fail({.status = Status::usage,
                 .what = "cannot show a screen",
                 .why = "this is not a terminal",
                 .advice = "vmctl top --once, or --json"});
  return watch(node, delay, *by);
}

}  // namespace

void add_top(CLI::App& command, Action& action) {
  command.footer(
      "Your own VMs; all of them for root. GUEST is the time in the guest, of one CPU. Keys: q\n"
      "ends; i u n v m e g sort by id, user, name, vCPUs, memory, exits, guest.");
  auto options = std::make_shared<TopOptions>();
  command.add_option("--delay", options->delay, "seconds between two looks")
      ->type_name("SECONDS")
      ->capture_default_str();
  command.add_option("--sort", options->sort, "the column to sort by")->capture_default_str();
  command.add_flag("--once", options->once, "look twice, print the difference and end");
  command.add_flag("--json", options->json, "the same as a JSON array");
  command.callback([options, &action] { action = [options] { return top(*options); }; });
}

}  // namespace vmctl::cli
