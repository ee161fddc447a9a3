// SPDX-License-Identifier: GPL-2.0
// From a file to a plan, whatever the file is.
#pragma once

#include "base/result.hpp"
#include "load/plan.hpp"
#include "load/request.hpp"
#include "load/source.hpp"

namespace vmctl {

// What request.format says, else what the content says (load/format.hpp). Pure: touches nothing but
// the sources. bad_image: no such image, or no room for it; usage: a request that cannot be met.
Result<LoadPlan> plan_image(const BootRequest& request, const Source& image);

}  // namespace vmctl
