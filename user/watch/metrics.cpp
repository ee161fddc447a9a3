// SPDX-License-Identifier: GPL-2.0
#include "watch/metrics.hpp"

#include <fmt/format.h>

#include <iterator>

#include "base/bytes.hpp"
#include "kernel/resource.hpp"
#include "vm/exit_name.hpp"

namespace vmctl {
namespace {

// Families, each with all of its values behind its head, as the format wants it.
class Text {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(text_), "# HELP {} {}\n# TYPE {} {}\n", name, help, name,
                   type);
  }
  template <class Value>
  void value(std::string_view labels, const Value& value) {
    fmt::format_to(std::back_inserter(text_), "{}{}{}{} {}\n", name_, labels.empty() ? "" : "{",
                   labels, labels.empty() ? "" : "}", value);
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string_view name_;
};

std::string id_label(const VmSample& vm) {
  return fmt::format(R"(id="{}")", vm.row.id);
}

std::string resource_label(Resource resource) {
  return fmt::format(R"(resource="{}")", name_of(resource));
}

void add_vms(Text& text, const Sample& sample) {
  text.family("vmctl_vms", "gauge", "VMs that exist.");
  text.value("", sample.vms.size());
  text.family("vmctl_vm_info", "gauge", "What a VM is; always 1.");
  for (const VmSample& vm : sample.vms)
    text.value(fmt::format(R"(id="{}",uid="{}",pid="{}",name="{}",state="{}",image="{}")",
                           vm.row.id, vm.row.uid, vm.row.pid, label_value(vm.row.name),
                           label_value(vm.row.state), label_value(vm.row.image)),
               1);
  text.family("vmctl_vm_vcpus", "gauge", "Its open vCPUs.");
  for (const VmSample& vm : sample.vms) text.value(id_label(vm), vm.row.vcpus);
  text.family("vmctl_vm_memory_bytes", "gauge", "Its guest memory.");
  for (const VmSample& vm : sample.vms) text.value(id_label(vm), vm.row.memory);
  text.family("vmctl_vm_exits_total", "counter", "Returns of KVM_RUN by exit reason.");
  for (const VmSample& vm : sample.vms)
    for (std::size_t reason = 0; reason < vm.stats.exits.size(); ++reason)
      if (vm.stats.exits[reason] != 0)
        text.value(fmt::format(R"({},reason="{}")", id_label(vm), reason_name(reason)),
                   vm.stats.exits[reason]);
  text.family("vmctl_vm_run_errors_total", "counter", "Failures of KVM_RUN.");
  for (const VmSample& vm : sample.vms) text.value(id_label(vm), vm.stats.errors);
  text.family("vmctl_vm_run_seconds_total", "counter", "Time in KVM_RUN, where it is measured.");
  for (const VmSample& vm : sample.vms)
    if (vm.timed)
      text.value(id_label(vm), fmt::format("{:.9f}", static_cast<double>(vm.stats.run_ns) / 1e9));
}

void add_limits_of(Text& text, std::string_view of, const vmctl_limits& limits) {
  for (const Resource resource : kResources) {
    if (!has_limit(limits.scope, resource)) continue;
    const auto labels = fmt::format(R"(of="{}",resource="{}")", of, name_of(resource));
    const auto limit = limits.limit[static_cast<std::size_t>(resource)];
    text.value(labels, limit == kUnlimited ? "+Inf" : fmt::format("{}", limit));
  }
}

void add_limits(Text& text, const PolicyFigures& policy) {
  text.family("vmctl_limit", "gauge", "Limits; +Inf is none.");
  add_limits_of(text, "total", policy.total);
  add_limits_of(text, "each", policy.each);
  if (!policy.of_all) return;
  text.family("vmctl_used", "gauge", "What all users hold.");
  for (const Resource resource : kResources)
    if (is_held(resource))
      text.value(resource_label(resource), policy.total.used[static_cast<std::size_t>(resource)]);
  text.family("vmctl_limit_refusals_total", "counter", "Commands that met a limit.");
  for (const Resource resource : kResources)
    text.value(resource_label(resource), policy.total.refused[static_cast<std::size_t>(resource)]);
  text.family("vmctl_command_refusals_total", "counter", "Commands that are not let through.");
  for (const vmctl_command& command : policy.commands)
    if (command.verdict == VMCTL_REFUSED)
      text.value(fmt::format(R"(command="{}")", label_value(text_in(command.name))),
                 command.refusals);
}

}  // namespace

std::string label_value(std::string_view text) {
  std::string value;
  for (const char c : text) {
    if (c == '\\' || c == '"') value += '\\';
    if (c == '\n')
      value += "\\n";
    else
      value += c;
  }
  return value;
}

std::string format_metrics(const Sample& sample, const PolicyFigures& policy) {
  Text text;
  add_vms(text, sample);
  add_limits(text, policy);
  return text.take();
}

}  // namespace vmctl
