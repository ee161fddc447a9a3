// SPDX-License-Identifier: GPL-2.0-only
#include "leaks.hpp"

#include <chrono>
#include <thread>

#include "sys.hpp"

namespace t {
namespace {

const std::string kFile = "/sys/kernel/debug/kmemleak";

// Losses of the kernel's own.
bool is_known(const std::string& report) {
  // Before 6.4, __class_register() forgets the name that it has given the class when what comes
  // after fails, which under fault injection it does.
  return report.find("kobject_set_name") != std::string::npos &&
         report.find("__class_register") != std::string::npos;
}

bool look() {
  return spit(kFile, "scan") && spit(kFile, "scan");
}

}  // namespace

bool finds_leaks() {
  return ::access(kFile.c_str(), F_OK) == 0;
}

std::vector<std::string> leaks() {
  std::this_thread::sleep_for(std::chrono::seconds(6));
  if (!look()) return {kFile + " cannot be told to scan: kmemleak has given up"};
  std::vector<std::string> all;
  for (const std::string& line : lines_of(slurp(kFile))) {
    if (line.starts_with("unreferenced object") || all.empty()) all.emplace_back();
    all.back() += line + "\n";
  }
  std::erase_if(all, is_known);
  return all;
}

void forget_leaks() {
  spit(kFile, "clear");
}

}  // namespace t
