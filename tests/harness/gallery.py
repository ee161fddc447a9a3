# SPDX-License-Identifier: GPL-2.0
"""The cases of tests/guest/gallery.test: what a guest is given, what it proves.

The language is that of tests/harness/cases.py, with more keywords:

  GUEST name            the image: build/guest/name.bin
  PROVES text           the fact that it proves
  OPTIONS words         of vmctl load, as bash reads them
  STDIN "text"          what the guest's serial port receives; without this
                        line, nothing
  IRQCHIP kinds         none, kernel or both: one case for each; without this
                        line one case, with what vmctl takes by default
  NEEDS what            of KVM that one may lack which has no virtualization in
                        the processor to build on: skipped on such a host.
                        Without this line it has to run there
"""

from dataclasses import replace

import cases

CASES = cases.TOP / "tests/guest/gallery.test"


def check_irqchip(value):
    kinds = value.split()
    if not kinds or set(kinds) - {"none", "kernel"}:
        raise ValueError("none, kernel or both")


GRAMMAR = cases.Grammar(
    needed=("GUEST", "PROVES"),
    once=("OPTIONS", "STDIN", "IRQCHIP", "NEEDS"),
    checks={"STDIN": cases.literal_bytes, "IRQCHIP": check_irqchip},
)


def each_irqchip(case):
    options = case.one("OPTIONS", "")
    for kind in case.one("IRQCHIP", "").split():
        with_kind = f"{options} --irqchip {kind}".strip()
        yield replace(case, name=f"{case.name}_{kind}", lines={**case.lines, "OPTIONS": [with_kind]})
    if not case.one("IRQCHIP"):
        yield case


def read(path=CASES):
    """The cases, one for each interrupt controller that they are for."""
    return [one for case in cases.parse_files([path], GRAMMAR) for one in each_irqchip(case)]
