// SPDX-License-Identifier: GPL-2.0
#include "base/size.hpp"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "base/bytes.hpp"

namespace vmctl {
namespace {

constexpr std::string_view kUnits = "KMGT";  // powers 1, 2, 3, 4 of 1024

Failure refuse(std::string_view text, std::string_view why) {
  return fail({.status = Status::usage,
               .what = fmt::format("'{}'", escaped(text)),
               .why = std::string(why)});
}

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hex ? text.substr(2) : text;
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, hex ? 16 : 10);
  if (error == std::errc::result_out_of_range) return refuse(text, "does not fit in 64 bits");
  if (error != std::errc() || stop != end)
    return refuse(text, "not a number (decimal, or hexadecimal after 0x)");
  return value;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  std::size_t power = 0;
  std::string_view digits = text;
  if (!text.empty()) {
    const char last = text.back();
    const char upper = last >= 'a' && last <= 'z' ? static_cast<char>(last - 'a' + 'A') : last;
    if (const auto unit = kUnits.find(upper); unit != std::string_view::npos) {
      power = unit + 1;
      digits.remove_suffix(1);
    }
  }
  auto value = parse_number(digits);
  if (!value)
    return refuse(text, digits.empty() || value.error().why.starts_with("not")
                            ? "not a size (as in 4096, 0x1000, 64M or 2G)"
                            : value.error().why);
  const std::uint64_t factor = std::uint64_t{1} << (10 * power);
  if (*value > std::numeric_limits<std::uint64_t>::max() / factor)
    return refuse(text, "does not fit in 64 bits");
  return *value * factor;
}

Result<std::chrono::nanoseconds> parse_seconds(std::string_view text) {
  constexpr double kMin = 1e-9;
  constexpr double kMax = 1e9;  // 31 years
  double seconds = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, seconds);
  const bool within = seconds >= kMin && seconds <= kMax;  // not so for what is no number
  if (error != std::errc() || stop != end || !within)
    return refuse(text, "not a time in seconds, more than 0 (as in 5 or 0.25)");
  return std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9));
}

std::string format_size(std::uint64_t bytes) {
  if (bytes == 0) return "0 bytes";
  for (std::size_t power = kUnits.size(); power > 0; --power) {
    const std::uint64_t factor = std::uint64_t{1} << (10 * power);
    if (bytes % factor == 0) return fmt::format("{}{}", bytes / factor, kUnits[power - 1]);
  }
  return fmt::format("{} bytes", bytes);
}

}  // namespace vmctl
