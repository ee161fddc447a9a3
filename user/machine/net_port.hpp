// SPDX-License-Identifier: GPL-2.0
// The guest's network card, and the network that it is on.
#pragma once

#include <memory>

#include "machine/virtio_slot.hpp"
#include "net/spec.hpp"

namespace vmctl {

// spec.mac has been chosen.
Result<std::unique_ptr<VirtioPort>> open_net(const NetSpec& spec);

}  // namespace vmctl
