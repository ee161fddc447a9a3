# SPDX-License-Identifier: GPL-2.0
"""Lines reached and not, against the list of those that need not be.

The list (tests/kcov/unreached) has an entry for each line, and lines that begin
with # are comments:

  FILE FUNCTION: the line of the source, without the blanks around it
  <tab>why it is not reached, in one line or more

An entry is for every such line of that function, wherever it stands.
"""

import re
from dataclasses import dataclass, field

WANTED = 90  # per cent, of each file


class Malformed(Exception):
    """The list cannot be understood, or speaks of what is not there: where and why."""


@dataclass
class Entry:
    where: str
    file: str
    function: str
    text: str
    reason: list = field(default_factory=list)

    @property
    def key(self):
        return self.file, self.function, self.text


@dataclass
class Row:
    """A line with at least one place."""

    line: object
    text: str
    functions: set
    reached: bool = False
    reason: str = None

    def keys(self):
        return [(self.line.file, function, self.text) for function in sorted(self.functions)]


@dataclass
class Total:
    """One file."""

    file: str
    rows: list

    @property
    def reached(self):
        return sum(row.reached for row in self.rows)

    @property
    def per_cent(self):
        return 100 * self.reached / len(self.rows)

    @property
    def without_reason(self):
        return [row for row in self.rows if not row.reached and not row.reason]

    @property
    def is_enough(self):
        return self.per_cent >= WANTED or not self.without_reason


def parse(name, text):
    """The entries of the list, whose file is named so."""
    entries, keys = [], set()
    for number, line in enumerate(text.splitlines(), 1):
        where = f"{name}:{number}"
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("\t"):
            if not entries:
                raise Malformed(f"{where}: a reason without a line")
            entries[-1].reason.append(line.strip())
            continue
        found = re.fullmatch(r"(\S+) (\w+): (\S(?:.*\S)?)", line)
        if not found:
            raise Malformed(f"{where}: not FILE FUNCTION: LINE")
        entry = Entry(where, *found.groups())
        if entry.key in keys:
            raise Malformed(f"{where}: once more")
        keys.add(entry.key)
        entries.append(entry)
    for entry in entries:
        if not entry.reason:
            raise Malformed(f"{entry.where}: without a reason")
    return entries


def rows_of(places, reached, text_of):
    """A row for each line.

    places and reached are {module: {at: Place}} and {module: {at…}}; text_of gives a line's text.
    """
    rows = {}
    for module, all_of_it in places.items():
        for at, place in all_of_it.items():
            if place is None:
                continue
            row = rows.setdefault(place.line, Row(place.line, text_of(place.line).strip(), set()))
            row.functions.add(place.function)
            row.reached |= at in reached.get(module, ())
    return [rows[line] for line in sorted(rows)]


def excuse(rows, entries):
    """Gives the rows that are not reached their reasons; returns the entries that are for reached lines only."""
    of = {}
    for row in rows:
        for key in row.keys():
            of.setdefault(key, []).append(row)
    idle = []
    for entry in entries:
        if entry.key not in of:
            raise Malformed(f"{entry.where}: {entry.file} has no such line in {entry.function}()")
        unreached = [row for row in of[entry.key] if not row.reached]
        for row in unreached:
            row.reason = " ".join(entry.reason)
        if not unreached:
            idle.append(entry)
    return idle


def totals(rows):
    files = {}
    for row in rows:
        files.setdefault(row.line.file, []).append(row)
    return [Total(file, files[file]) for file in sorted(files)]


def show(all_totals, idle):
    """Prints the table and the lines that were not reached; returns the exit status."""
    for total in all_totals:
        for row in total.rows:
            if not row.reached:
                functions = ", ".join(sorted(row.functions))
                print(f"{row.line.file}:{row.line.number}: {functions}: {row.text}")
                print(f"        {row.reason or 'no reason given'}")
    for entry in idle:
        print(f"{entry.where}: was reached: {entry.function}: {entry.text}")
    print(f"{'file':22} {'lines':>5} {'reached':>7} {'%':>6} {'no reason':>9}")
    for total in [*all_totals, Total("all", [row for total in all_totals for row in total.rows])]:
        print(f"{total.file:22} {len(total.rows):5} {total.reached:7} {total.per_cent:6.1f}"
              f" {len(total.without_reason):9}")
    short = [total for total in all_totals if not total.is_enough]
    for total in short:
        print(f"{total.file}: below {WANTED} %, and lines without a reason")
    return 1 if short else 0
