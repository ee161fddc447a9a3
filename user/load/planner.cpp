// SPDX-License-Identifier: GPL-2.0
#include "load/planner.hpp"

#include <fmt/format.h>

#include "load/bzimage.hpp"
#include "load/elf.hpp"
#include "load/flat.hpp"
#include "load/format.hpp"
#include "load/multiboot1.hpp"
#include "load/multiboot2.hpp"
#include "load/pvh.hpp"
#include "load/vmlinux.hpp"

namespace vmctl {
namespace {

Result<LoadPlan> plan_flat_image(const BootRequest& request, const Source& image) {
  auto plan = plan_flat(request.flat, image.size(), request.memory_end);
  if (!plan) {
    plan.error().where = image.path();
    return fail(std::move(plan.error()));
  }
  return plan;
}

// The other formats say themselves where they are to be and where they start.
Result<> check_not_flat(const FlatRequest& flat, Format format, const Source& image) {
  const auto refuse = [&](std::string_view option, GuestAddr address, std::string_view what) {
    return fail(
        {.status = Status::usage,
         .what = fmt::format("{} {:#x}", option, address.value),
         .where = image.path(),
         .why = fmt::format("it is {}, which says itself where it {}", format_name(format), what),
         .advice = fmt::format("leave {} out, or force --format flat", option)});
  };
  if (flat.at) return refuse("--at", *flat.at, "is to be");
  if (flat.entry) return refuse("--entry", *flat.entry, "starts");
  return {};
}

}  // namespace

Result<LoadPlan> plan_image(const BootRequest& request, const Source& image) {
  const Format format = request.format ? *request.format : TRY(identify(image));
  if (format != Format::flat) TRY(check_not_flat(request.flat, format, image));
  switch (format) {
    case Format::flat:
      break;
    case Format::elf:
      return plan_elf(request, image);
    case Format::multiboot1:
      return plan_multiboot1(request, image);
    case Format::multiboot2:
      return plan_multiboot2(request, image);
    case Format::pvh:
      return plan_pvh(request, image);
    case Format::bzimage:
      return plan_bzimage(request, image);
    case Format::vmlinux:
      return plan_vmlinux(request, image);
  }
  return plan_flat_image(request, image);
}

}  // namespace vmctl
