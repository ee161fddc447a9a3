// SPDX-License-Identifier: GPL-2.0
#include "load/planner.hpp"

#include "load/flat.hpp"

namespace vmctl {

Result<LoadPlan> plan_image(const BootRequest& request, const Source& image) {
  auto plan = plan_flat(request.flat, image.size(), request.memory_end);
  if (!plan) {
    plan.error().where = image.path();
    return fail(std::move(plan.error()));
  }
  return plan;
}

}  // namespace vmctl
