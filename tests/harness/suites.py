# SPDX-License-Identifier: GPL-2.0
"""The test suites: which there are, and where each runs."""

import os
from pathlib import Path

from runner import Suite

TOP = Path(__file__).resolve().parent.parent.parent

# Relative to the top; also for the suites' own programs, here and in the VM.
BUILD = os.environ.get("VMCTL_BUILD", "build")
BIN = TOP / BUILD / "bin"
# What fails when the kernel complains meanwhile; not there in builds of the user side alone.
WATCH = [BIN / "kernel-watch"] if BUILD == "build" else []
# What saves the counts of a build that counts lines.
KEEP = [TOP / "tests/harness/keep-counts"] if BUILD == "build/coverage" else []
E2E = TOP / "tests/e2e"
# With Linux guests, and other VMMs: they take as long as all the others.
LINUX = [E2E / f"{name}.test" for name in ("debian", "linux", "net", "share", "virtio", "vmm")]
# In the order in which they begin: those of a moment, then the longest first.
SUITES = [
    Suite("harness", [TOP / "tests/harness/tests"]),
    Suite("unit", [BIN / "unit-tests"]),
    Suite("abi", [BIN / "abi-tests"]),
    Suite("linux", [*WATCH, *KEEP, E2E / "run", *LINUX], in_vm=True),
    Suite("e2e", [*WATCH, *KEEP, E2E / "run", *sorted(set(E2E.glob("*.test")) - set(LINUX))], in_vm=True),
    Suite("kmod", [BIN / "kmod-tests"], in_vm=True),
    Suite("testvm", [TOP / "tests/harness/testvm-tests"]),
    Suite("gallery", [*WATCH, *KEEP, TOP / "tests/guest/run"], in_vm=True),
    Suite("lab", [BIN / "lab-tests"], in_vm=True, kernel="debug",
          before=[TOP / "scripts/module", "--source", "tests/lab/module", "debug"]),
    Suite("icount", [BIN / "icount-tests"], in_vm=True, vm_options=["--icount"]),
    Suite("gallery-host", [TOP / "tests/guest/run", "--host"]),
    Suite("fuzz", [TOP / "tests/fuzz/run"]),
    # Where there are no images each case says so, for which no VM is needed.
    Suite("kut", [TOP / "tests/kut/run"], in_vm="VMCTL_KVM_UNIT_TESTS" in os.environ),
]
NAMES = [suite.name for suite in SUITES]
# What of them runs the user side, and is worth a run with sanitizers.
OF_USER = ("unit", "fuzz", "e2e", "linux", "gallery", "gallery-host")
# What of them runs the driver, on any kernel.
OF_DRIVER = ("kmod", "e2e", "linux", "gallery")


def named(names):
    return [suite for suite in SUITES if suite.name in names]
