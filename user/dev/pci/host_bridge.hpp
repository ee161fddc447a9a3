// SPDX-License-Identifier: GPL-2.0
// What stands between processor and bus, in slot 0: there to be found, as guests look for one to
// know that there is PCI.
#pragma once

#include "dev/pci/function.hpp"

namespace vmctl {

class HostBridge final : public PciFunction {
 public:
  // Red Hat's IDs for a bridge without registers of its own; class: host bridge.
  HostBridge() : PciFunction({.vendor = 0x1b36, .device = 0x0008, .class_code = 0x060000}) {}
};

}  // namespace vmctl
