// SPDX-License-Identifier: GPL-2.0
#include "kernel/ioctl.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>

#include <cerrno>

namespace vmctl {

SysResult<int> detail::ioctl(int fd, std::uint32_t number, void* argument) {
  const int result = ::ioctl(fd, number, argument);
  if (result < 0) return tl::unexpected<Errno>(Errno{errno});
  return result;
}

Error explain(std::string_view name, Errno error) {
  Error explained{.status = Status::internal,
                  .what = fmt::format("{} failed", name),
                  .why = errno_text(error.code)};
  switch (error.code) {
    case EDQUOT:
      explained.status = Status::refused;
      explained.why = "a limit on VMs, vCPUs or guest memory is reached";
      explained.advice = "vmctl policy show tells limits and use; root sets them";
      break;
    case ENOTTY:
      explained.status = Status::unavailable;
      if (!name.starts_with("VMCTL_")) break;
      explained.why = "the module is older than this vmctl: " + explained.why;
      explained.advice = "vmctl module unload; vmctl module load";
      break;
    case EPERM:
    case EACCES:
      explained.status = Status::refused;
      explained.why = "refused by policy: " + explained.why;
      explained.advice = "vmctl dmesg says which rule refused it";
      break;
    case ENODEV:
      explained.status = Status::refused;
      explained.why = "the VM was revoked, or KVM was unloaded";
      explained.advice = "vmctl dmesg says who revoked it";
      break;
    case EBUSY:
      explained.status = Status::unavailable;
      explained.why = "another hypervisor holds the processor's virtualization: " + explained.why;
      explained.advice = "end the other hypervisor (VirtualBox, Xen, VMware), then try again";
      break;
    case EMFILE:
      explained.status = Status::unavailable;
      explained.advice = "each vCPU takes an open file: raise the limit, ulimit -n";
      break;
    case ENOMEM:
    case ENFILE:
      explained.status = Status::unavailable;
      break;
    default:
      break;
  }
  return explained;
}

}  // namespace vmctl
