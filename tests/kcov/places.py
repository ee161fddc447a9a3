# SPDX-License-Identifier: GPL-2.0
"""Places of a module at which KCOV is called, and the lines they stand for.

A place is (part, offset): the address that a call returns to, as an offset into
"core" or "init", the two parts of a loaded module, as tests/kcov/module tells it.
"""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

CALL = "__sanitizer_cov_trace_pc"
# The call's relocation is its last operand.
OPERAND = 4
# What the compiler makes of no line: KASAN's constructors; and the kernel of no line of this file:
# define_trace.h reads trace.h once more, and its lines then count as those of who included it.
GENERATED = ("_sub_I_", "_sub_D_", "__traceiter_")


class Mismatch(Exception):
    """What was recorded is not of this build; the text says why."""


@dataclass(frozen=True, order=True)
class Line:
    file: str  # as kmod/vm.c
    number: int


@dataclass(frozen=True)
class Place:
    """What a call stands for: a line, and the function that the line is in."""

    line: Line
    function: str


def output_of(*command, **arguments):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, **arguments).stdout


def layout(headers):
    """Where each section of text comes to stand: {name: (part, offset)}.

    headers is what readelf -SW prints. The kernel puts the sections with code
    first, in the order of the file, each at its alignment; those whose name
    begins with .init go into a part of their own.
    """
    placed, sizes = {}, {"core": 0, "init": 0}
    row = re.compile(r"\] (\S+) +\S+ +[0-9a-f]+ [0-9a-f]+ ([0-9a-f]+) [0-9a-f]+ +(\w+) +\d+ +\d+ +(\d+)$")
    for line in headers.splitlines():
        found = row.search(line)
        if not found or not {"A", "X"} <= set(found[3]):
            continue
        name, size, alignment = found[1], int(found[2], 16), max(int(found[4]), 1)
        part = "init" if name.startswith(".init") else "core"
        offset = -(-sizes[part] // alignment) * alignment
        placed[name] = part, offset
        sizes[part] = offset + size
    return placed


def calls(relocations):
    """Where in which section KCOV is called: {name: [offset…]}; of what readelf -rW prints."""
    found, section = {}, None
    for line in relocations.splitlines():
        head = re.match(r"Relocation section '\.rela(\S+)'", line)
        if head:
            section = head[1]
        elif re.search(rf" {CALL}( |$)", line):
            found.setdefault(section, []).append(int(line.split()[0], 16) + OPERAND)
    return found


def frames(printed):
    """What addr2line -a -f -i prints: {address: [(function, file, number)…]}, innermost first."""
    found, function = {}, None
    for line in printed.splitlines():
        if re.fullmatch(r"0x[0-9a-f]+", line):
            stack = found.setdefault(int(line, 16), [])
            function = None
        elif function is None:
            function = line
        else:
            file, _, number = line.partition(" ")[0].rpartition(":")
            stack.append((function, file, int(number) if number.isdigit() else 0))
            function = None
    return found


def innermost_of(stack, folder, files):
    """The place that a stack of inlined functions stands for: the innermost in the module's own files."""
    if stack[-1][0].startswith(GENERATED):
        return None
    for function, file, number in stack:
        path = Path(os.path.normpath(file))
        name = str(path.relative_to(folder)) if path.is_relative_to(folder) else ""
        if name in files and number:
            return Place(Line(f"kmod/{name}", number), function)
    return None


def places(module, folder, files):
    """All places of a module: {(part, offset): Place, or None where it is no line of its sources}.

    module is the .ko; folder where it was built; files the names of its sources there.
    """
    placed = layout(output_of("readelf", "-SW", module))
    found = {}
    for section, offsets in calls(output_of("readelf", "-rW", module)).items():
        part, start = placed[section]
        # The byte before the one it returns to is the call's.
        asked = "".join(f"{offset - 1:#x}\n" for offset in offsets)
        told = frames(output_of("addr2line", "-e", module, "-j", section, "-afi", input=asked))
        for offset in offsets:
            found[part, start + offset] = innermost_of(told[offset - 1], folder, files)
    return found


def read_reached(text):
    """What /sys/kernel/debug/reached says: ({module: {(part, offset)…}}, calls missed)."""
    reached, missed = {}, 0
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] == "missed":
            missed = int(words[1])
        elif len(words) == 3:
            reached.setdefault(words[0], set()).add((words[1], int(words[2], 16)))
        else:
            raise Mismatch(f"not a line of it: {line}")
    return reached, missed
