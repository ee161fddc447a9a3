# SPDX-License-Identifier: GPL-2.0
"""The QEMU command line of the test VM."""

import os
from dataclasses import dataclass
from pathlib import Path

from guest import BUILD, HERE, TREE, Failure, output_of


@dataclass
class Shape:
    cpus: int = 2
    memory: str = "1024"
    icount: bool = False
    vmctl: bool = True


def host_can_nest():
    """Whether the host's KVM gives its guests virtualization by hardware."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return False
    for module in ("kvm_intel", "kvm_amd"):
        nested = Path(f"/sys/module/{module}/parameters/nested")
        if nested.exists() and nested.read_text().strip() in ("Y", "1"):
            return True
    return False


def accelerator(shape):
    """Exact figures need one emulated CPU whose clock is its instruction count."""
    if shape.icount:
        return [
            "-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off", "-smp", "1",
            "-cpu", "EPYC,+svm,-rdrand,-rdseed", "-seed", "1",
            "-rtc", "base=2026-01-01,clock=vm",
        ]
    wanted = os.environ.get("VMCTL_ACCEL") or ("kvm" if host_can_nest() else "tcg")
    if wanted == "kvm":
        return ["-accel", "kvm", "-cpu", "host", "-smp", str(shape.cpus)]
    if wanted == "tcg":
        return ["-accel", "tcg,thread=multi", "-cpu", "EPYC,+svm", "-smp", str(shape.cpus)]
    raise Failure(f"VMCTL_ACCEL is {wanted}: it can be tcg or kvm")


def share(name, path, readonly):
    """A folder of the host for the VM to mount."""
    path = str(path).replace(",", ",,")
    mode = ",readonly=on" if readonly else ""
    return [
        "-fsdev", f"local,id={name},path={path},security_model=none,multidevs=remap{mode}",
        "-device", f"virtio-9p-pci,fsdev={name},mount_tag={name}",
    ]


def command_line(guest, shape, port, console, monitor):
    """QEMU's arguments. port, console and monitor are file descriptors that it inherits."""
    accel = accelerator(shape)
    # tsc=reliable: the kernel's watch over its clocks takes a busy host for a broken TSC, or hangs.
    append = "console=ttyS0 panic=-1 oops=panic unknown_nmi_panic sysrq_always_enabled tsc=reliable quiet"
    if "tcg,thread=multi" in accel:
        # The kernel would measure the TSC by emulated timers; on a busy host it once came to a
        # tenth, which makes its clocks run ten times as fast.
        # And a timer that a busy host's emulator is late with, for one that is not connected.
        append += f" no_timer_check tsc_early_khz={output_of(BUILD / 'tsc')}"
        if shape.cpus > 1:
            append += " testvm_steady=1"
    if guest.debug:
        # KASAN would report once and then be silent.
        append += " kasan_multi_shot"
    if shape.vmctl:
        append += " testvm_vmctl=1"
    return [
        output_of(HERE.parent / "qemu"),
        *accel,
        "-m", shape.memory, "-nodefaults", "-no-user-config", "-display", "none",
        "-no-reboot", "-nic", "none",
        "-kernel", str(guest.image), "-initrd", str(guest.initramfs), "-append", append,
        "-chardev", f"socket,id=console,fd={console}", "-serial", "chardev:console",
        "-chardev", f"socket,id=monitor,fd={monitor}", "-mon", "chardev=monitor,mode=readline",
        "-device", "virtio-serial-pci",
        "-chardev", f"socket,id=port,fd={port}", "-device", "virtserialport,chardev=port,nr=1",
        *share("host", "/", readonly=True),
        *share("tree", TREE, readonly=False),
    ]
