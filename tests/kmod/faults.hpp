// SPDX-License-Identifier: GPL-2.0-only
//
// Fault injection: what can fail for want of memory, or in copying from and to
// user memory, is made to fail, one chance after the other.
#pragma once

#include <map>
#include <string>

#include "sys.hpp"

namespace t {

// Of this thread. Sets the kernel up for it, and back at the end.
class Faults {
 public:
  Faults();
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  [[nodiscard]] bool available() const { return switch_.valid(); }
  // Lets the nth of this thread's chances to fail from here on fail; 0 ends that.
  void arm(int nth) const;
  // Ends it, too, and tells how many chances were left to that one; 0: it failed.
  [[nodiscard]] int left() const;
  [[nodiscard]] bool fired() const { return left() == 0; }

 private:
  void set(const std::string& name, const std::string& value);

  Fd switch_;
  std::map<std::string, std::string> before_;
};

}  // namespace t
