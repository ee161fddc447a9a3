// SPDX-License-Identifier: GPL-2.0
// Figures for Prometheus, in its text format 0.0.4 (node_exporter's textfile collector reads it).
#pragma once

#include <linux/vmctl.h>

#include <span>
#include <string>
#include <string_view>

#include "watch/sample.hpp"

namespace vmctl {

struct PolicyFigures {
  bool of_all = false;  // what all use and were refused is known: to root alone
  vmctl_limits total{};
  vmctl_limits each{};
  std::span<const vmctl_command> commands;
};

std::string format_metrics(const Sample& sample, const PolicyFigures& policy);

// A label's value: backslash, double quote and newline escaped.
std::string label_value(std::string_view text);

}  // namespace vmctl
