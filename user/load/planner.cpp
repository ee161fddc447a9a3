// SPDX-License-Identifier: GPL-2.0
#include "load/planner.hpp"

#include "load/bzimage.hpp"
#include "load/flat.hpp"

namespace vmctl {
Result<Format> identify(const Source& image) {
  const auto magic = read_struct<std::uint32_t>(image, "header", 0x202);
  return magic && *magic == 0x53726448 ? Format::bzimage : Format::flat;
}

Result<LoadPlan> plan_image(const BootRequest& request, const Source& image) {
  if (request.format.value_or(TRY(identify(image))) == Format::bzimage)
    return plan_bzimage(request, image);
  auto plan = plan_flat(request.flat, image.size(), request.memory_end);
  if (!plan) {
    plan.error().where = image.path();
    return fail(std::move(plan.error()));
  }
  return plan;
}

}  // namespace vmctl
