# SPDX-License-Identifier: GPL-2.0
"""Cases written as keywords and values: read, run, judged, told as GoogleTest does.

A file holds cases, set apart by blank lines; a line is a keyword and its
value; lines that begin with # are comments. A grammar says which keywords
there are; these are always:

  NAME words            begins a case: FILE.words_with_underscores
  BEFORE command        run first, must succeed (repeatable)
  AFTER command         run last, however the case went, must succeed (repeatable)
  STATUS number         exit status of what is tested; without this line, 0
  STDOUT text           a line of stdout; all such lines together are the whole
                        of it, but for a newline at the very end
  STDOUT_EXACT "text"   the whole of stdout to the byte; \\n, \\x00 and so on
  STDOUT_RE regex       found somewhere in stdout (repeatable, multi-line mode)
  STDOUT_NOT_RE regex   not found there (repeatable)
  STDERR, STDERR_EXACT, STDERR_RE, STDERR_NOT_RE
                        the same for stderr
  TIMEOUT seconds       for each command; 60 without this line; on the debug kernel
                        five times as long
  TRIES number          how often it may be tried, 1 without this line: for Linux on
                        emulated hardware, which now and then loses a processor;
                        what went wrong is told each time
  REQUIRES what         else the case is skipped: "kvm" and "module" (that
                        /dev/kvm and /dev/vmctl can be used), "speed" (that
                        this is not the debug kernel), "command NAME", "file PATH",
                        "kernel VERSION" (that scripts/kernel has fetched it),
                        "debian disk" (that scripts/debian-disk has made it)

A case needs at least one line that expects something. Commands run in the
top folder with
  $GUEST  build/guest   the sample guests
  $TMP    an empty folder of the case
"""

import ast
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from gtest import matches

TOP = Path(__file__).resolve().parent.parent.parent
# As in scripts/cache.sh.
CACHE = Path(
    os.environ.get("VMCTL_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vmctl"
)

ONCE = ("NAME", "STATUS", "STDOUT_EXACT", "STDERR_EXACT", "TIMEOUT", "TRIES")
REPEATABLE = (
    "BEFORE", "AFTER", "REQUIRES",
    "STDOUT", "STDOUT_RE", "STDOUT_NOT_RE", "STDERR", "STDERR_RE", "STDERR_NOT_RE",
)
EXPECTING = ("STATUS", "STDOUT", "STDERR")

# The debug kernel checks each access to memory.
SLOW = os.uname().release.endswith("-debug")
PATIENCE = 5 if SLOW else 1


class Skip(Exception):
    """Says of a case that runs why it cannot be judged."""


class Malformed(Exception):
    """A case file that cannot be understood: where and why."""


@dataclass
class Grammar:
    """The keywords of one kind of file, beside those that are always."""

    needed: tuple  # once in every case
    once: tuple = ()
    checks: dict = field(default_factory=dict)  # of a keyword's value; they raise ValueError


@dataclass
class Case:
    where: str
    name: str = ""
    lines: dict = field(default_factory=dict)

    def all(self, keyword):
        return self.lines.get(keyword, [])

    def one(self, keyword, default=None):
        return self.lines.get(keyword, [default])[0]

    @property
    def timeout(self):
        return PATIENCE * float(self.one("TIMEOUT", "60"))


def check_line(where, keyword, value, checks):
    """Refuses what could only fail when the case runs."""
    try:
        if keyword in ("STATUS", "TIMEOUT", "TRIES"):
            int(value)
        elif keyword.endswith("_RE"):
            re.compile(value)
        elif keyword.endswith("_EXACT"):
            literal_bytes(value)
        elif keyword == "REQUIRES":
            unmet(value)
        elif keyword in checks:
            checks[keyword](value)
    except (ValueError, SyntaxError, re.error) as error:
        raise Malformed(f"{where}: {keyword} {value}: {error}") from None


def literal_bytes(value):
    if not re.fullmatch(r'"([^"\\]|\\.)*"', value):
        raise ValueError("not a text in double quotes")
    return ast.literal_eval("b" + value) if value.isascii() else ast.literal_eval(value).encode()


def parse_block(path, block, grammar):
    case = Case(f"{path}:{block[0][0]}")
    once = ONCE + grammar.needed + grammar.once
    for number, line in block:
        where = f"{path}:{number}"
        keyword, _, value = line.partition(" ")
        if keyword not in once + REPEATABLE:
            raise Malformed(f"{where}: unknown keyword {keyword}")
        if keyword in once and keyword in case.lines:
            raise Malformed(f"{where}: a second {keyword}")
        check_line(where, keyword, value, grammar.checks)
        case.lines.setdefault(keyword, []).append(value)
    for keyword in ("NAME", *grammar.needed):
        if not case.one(keyword):
            raise Malformed(f"{case.where}: a case without {keyword}")
    if not any(keyword.startswith(EXPECTING) for keyword in case.lines):
        raise Malformed(f"{case.where}: the case expects nothing")
    case.name = f"{path.stem}.{re.sub('[^A-Za-z0-9_]', '_', case.one('NAME'))}"
    return case


def parse_file(path, grammar):
    blocks = [[]]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if not line.strip():
            blocks.append([])
        elif not line.startswith("#"):
            blocks[-1].append((number, line.rstrip()))
    return [parse_block(path, block, grammar) for block in blocks if block]


def parse_files(paths, grammar):
    cases = [case for path in paths for case in parse_file(path, grammar)]
    seen = {}
    for case in cases:
        if case.name in seen:
            raise Malformed(f"{case.where}: {case.name} is already at {seen[case.name]}")
        seen[case.name] = case.where
    return cases


def unmet(requirement):
    """Why a requirement is not met; nothing when it is."""
    what, _, argument = requirement.partition(" ")
    if what in ("kvm", "module") and not argument:
        node = {"kvm": "/dev/kvm", "module": "/dev/vmctl"}[what]
        return "" if os.access(node, os.R_OK | os.W_OK) else f"{node} cannot be used"
    if what == "speed" and not argument:
        return "takes the debug kernel too long" if SLOW else ""
    if what == "command" and argument:
        return "" if shutil.which(argument) else f"no command {argument}"
    if what == "file" and argument:
        return "" if Path(argument).exists() else f"no file {argument}"
    if what == "kernel" and argument:
        return "" if (CACHE / "kernels" / argument).exists() else f"no kernel {argument} in {CACHE}"
    if what == "debian" and argument == "disk":
        return "" if any(CACHE.glob("disks/*")) else f"no disk of scripts/debian-disk in {CACHE}"
    raise ValueError(
        "kvm, module, speed, command NAME, file PATH, kernel VERSION and debian disk can be required"
    )


@dataclass
class Done:
    status: int = None  # none: out of time
    streams: dict = field(default_factory=dict)


def run_command(command, environment, timeout, stdin=b""):
    process = subprocess.Popen(
        ["bash", "-c", command], cwd=TOP, env=environment, start_new_session=True,
        stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    done = Done()
    try:
        out, err = process.communicate(stdin or None, timeout=timeout)
        done.status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    done.streams = {"STDOUT": out, "STDERR": err}
    return done


def faults_of_stream(case, name, got):
    """What a stream lacks, or has too much."""
    text = got.decode(errors="backslashreplace")
    lines = case.all(name)
    if lines and text.removesuffix("\n") != "\n".join(lines):
        yield f"{name} should be {lines}"
    exact = case.one(f"{name}_EXACT")
    if exact is not None and got != literal_bytes(exact):
        yield f"{name} should be exactly {exact}, and is {got!r}"
    for regex in case.all(f"{name}_RE"):
        if not re.search(regex, text, re.MULTILINE):
            yield f"{name} should match {regex}"
    for regex in case.all(f"{name}_NOT_RE"):
        if re.search(regex, text, re.MULTILINE):
            yield f"{name} should not match {regex}"


def faults_of_run(case, command, done):
    if done.status is None:
        yield f"{command}: not done after {case.timeout:g} s"
    else:
        wanted = int(case.one("STATUS", "0"))
        if done.status != wanted:
            yield f"status should be {wanted}, and is {done.status}"
    for name, got in done.streams.items():
        yield from faults_of_stream(case, name, got)


def shown(done):
    """The streams, for whoever looks into a failure."""
    for name, got in done.streams.items():
        for line in got.decode(errors="backslashreplace").splitlines():
            yield f"{name.lower()}: {line}"


def run_steps(case, keyword, environment):
    for command in case.all(keyword):
        done = run_command(command, environment, case.timeout)
        if done.status != 0:
            ended = "is not done in time" if done.status is None else f"ends with status {done.status}"
            yield f"{keyword} {command}: {ended}"
            yield from shown(done)


@contextlib.contextmanager
def environment_of_case():
    with tempfile.TemporaryDirectory(prefix="vmctl-case-") as folder:
        build = os.environ.get("VMCTL_BUILD", "build")
        path = f"{TOP}/{build}/bin:{os.environ['PATH']}"
        yield {**os.environ, "PATH": path, "GUEST": f"{build}/guest", "TMP": folder}


def run_case(case, command, stdin=b"", done_well=None):
    """Runs a case's command and returns what is wrong, line by line."""
    with environment_of_case() as environment:
        wrong = list(run_steps(case, "BEFORE", environment))
        if not wrong:
            done = run_command(command, environment, case.timeout, stdin)
            wrong = list(faults_of_run(case, command, done))
            if wrong:
                wrong = [f"RUN {command}", *wrong, *shown(done)]
            elif done_well:
                done_well(done)
        return [*wrong, *run_steps(case, "AFTER", environment)]


def report(case, run, requirements):
    """Runs or skips a case as GoogleTest would print it; returns whether it is well."""
    print(f"[ RUN      ] {case.name}", flush=True)
    begin = time.monotonic()
    reasons = [reason for reason in requirements(case) if reason]
    wrong = []
    try:
        for left in reversed(range(0 if reasons else max(1, int(case.one("TRIES", "1"))))):
            wrong = run(case)
            if not wrong or left == 0:
                break
            print("tried once more, as this went wrong:", *wrong, sep="\n  ", flush=True)
    except Skip as reason:
        reasons = [str(reason)]
    for line in wrong:
        print(f"{case.where}: {line}" if line == wrong[0] else f"  {line}")
    if reasons:
        print("; ".join(reasons))
    verdict = "  FAILED  " if wrong else "  SKIPPED " if reasons else "       OK "
    print(f"[{verdict}] {case.name} ({(time.monotonic() - begin) * 1000:.0f} ms)", flush=True)
    return not wrong


def requirements_of(case):
    return map(unmet, case.all("REQUIRES"))


def add_options(parser):
    parser.add_argument("--gtest_filter", default="*", metavar="PATTERN")
    parser.add_argument("--gtest_list_tests", action="store_true")


def main(suite, arguments, read, run, requirements=requirements_of):
    """Runs the cases that read() gives and the arguments choose, and returns the exit status."""
    try:
        cases = [case for case in read() if matches(case.name, arguments.gtest_filter)]
    except Malformed as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.gtest_list_tests:
        print("\n".join(case.name for case in cases))
        return 0
    well = [report(case, run, requirements) for case in cases]
    print(f"[==========] {len(cases)} tests from {suite} ran.")
    return 0 if all(well) else 1
