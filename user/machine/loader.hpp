// SPDX-License-Identifier: GPL-2.0
// A piece of a load plan carried out: the one place that writes a file into a guest.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "bus/memory.hpp"
#include "kernel/ioctl.hpp"
#include "load/image.hpp"
#include "load/plan.hpp"
#include "vm/vm.hpp"

namespace vmctl {

// On vmctl the kernel reads the file and measures it; on raw KVM this process reads it and there is
// no digest.
Result<std::optional<Digest>> load_segment(const Vm& vm, const GuestMemory& memory,
                                           const Image& image, const Segment& segment);

// What a refused VMCTL_LOAD_IMAGE means: in the same words as when this process reads the file.
Error explain_load(const Image& image, const Segment& segment, Errno error);

}  // namespace vmctl
