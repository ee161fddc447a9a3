// SPDX-License-Identifier: GPL-2.0
// What a file is, and the plan that is made of it then.
#include "load/format.hpp"
#include "load/planner.hpp"
#include "planning.hpp"

using namespace vmctl;

FUZZ_TARGET(data, size) {
  fuzz::check_planner(data, size, [](const BootRequest& request, const Source& image) {
    const auto format = identify(image);
    auto plan = plan_image(request, image);
    if (fuzz::is_error(format))
      fuzz::require(!plan, "what is not known is not planned");
    else if (plan)
      fuzz::require(plan->format == *format, "the plan is of the format that was found");
    return plan;
  });
  return 0;
}
