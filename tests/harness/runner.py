# SPDX-License-Identifier: GPL-2.0
"""Runs suites: follows their lines, survives their end, keeps their results."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"

# What scripts/testvm exits with when the VM went down under the command.
VM_SILENT, VM_DIED = 124, 125
EMULATOR = {122: "the emulator crashed", 123: "the emulator hung"}
# How often a suite's VM may be lost to it before its first case or between two.
LOSSES = 2

BEGIN = re.compile(r"\[ RUN      \] (\S+)$")
END = re.compile(r"\[ +(OK|FAILED|SKIPPED) +\] (\S+?)(?:,.*)? \((\d+) ms\)$")
SUMMARY = re.compile(r"\[==========\] (\d+) tests? from .* ran\.")
# A failure that belongs to no case.
OUTSIDE = re.compile(r":\d+: Failure$", re.MULTILINE)
VERDICTS = {"OK": PASSED, "FAILED": FAILED, "SKIPPED": SKIPPED}


PRINTING = threading.Lock()
# The suites' programs that run now; all of them end when the run is given up.
RUNNING = set()
GIVEN_UP = threading.Event()


def say(*lines):
    """Prints lines that belong together, one after the other."""
    with PRINTING:
        print(*lines, sep="\n", flush=True)


@dataclass
class Suite:
    name: str
    command: list
    in_vm: bool = False
    vm_options: list = field(default_factory=list)
    kernel: str = None  # the only one that it is for
    before: list = None  # a command for this host that must succeed first


@dataclass
class Case:
    name: str
    verdict: str
    milliseconds: int = 0
    output: str = ""

    @property
    def reason(self):
        """Why it was skipped: the last line that says something."""
        lines = [line.strip() for line in self.output.splitlines() if line.strip()]
        return lines[-1] if lines else "no reason given"


@dataclass
class Attempt:
    """One run of a suite's program, as far as it came."""

    cases: list = field(default_factory=list)
    open_case: str = None
    open_output: str = ""
    rest: str = ""
    complete: bool = False
    status: int = 0

    def is_lost_to_emulator(self, in_vm):
        return in_vm and self.status in EMULATOR

    def how_it_ended(self, in_vm):
        if self.is_lost_to_emulator(in_vm):
            return EMULATOR[self.status]
        if in_vm and self.status == VM_SILENT:
            return "the VM was silent"
        if in_vm and self.status == VM_DIED:
            return "the VM went down"
        if self.status < 0:
            return f"the program was ended by {signal.Signals(-self.status).name}"
        if self.status > 128:
            return f"the program was ended by signal {self.status - 128}"
        return f"the program ended early with status {self.status}"


class Parser:
    """Follows GoogleTest's lines; calls done(case) for each case that ends."""

    def __init__(self, done):
        self.attempt = Attempt()
        self.done = done

    def feed(self, line):
        attempt = self.attempt
        if attempt.open_case is None:
            begin = BEGIN.search(line)
            if begin:
                attempt.open_case, attempt.open_output = begin[1], ""
            else:
                attempt.complete |= bool(SUMMARY.search(line))
                attempt.rest += line + "\n"
            return
        end = END.search(line)
        if end and end[2] == attempt.open_case:
            attempt.open_output += line[: end.start()]
            case = Case(end[2], VERDICTS[end[1]], int(end[3]), attempt.open_output)
            attempt.open_case = None
            attempt.cases.append(case)
            self.done(case)
        else:
            attempt.open_output += line + "\n"


@dataclass
class Report:
    suite: str
    seconds: float = 0
    cases: list = field(default_factory=list)

    def count(self, verdict):
        return sum(case.verdict == verdict for case in self.cases)


@dataclass
class Runner:
    """Runs one suite."""

    vm: list
    results: object
    filter: str = ""
    verbose: bool = False
    kernel: str = None

    def run(self, suite):
        self.report = Report(suite.name)
        say(f"--- {suite.name}")
        begin = time.monotonic()
        if not suite.command[0].exists():
            self.fail_suite(f"{suite.command[0]} is missing: run make all")
        elif suite.before and subprocess.run(suite.before, stdout=subprocess.DEVNULL, check=False).returncode:
            self.fail_suite(f"{' '.join(map(str, suite.before))} failed")
        else:
            self.run_cases(suite)
        self.report.seconds = round(time.monotonic() - begin, 1)
        self.save()
        return self.report

    def run_cases(self, suite):
        """Runs all cases of a suite, and again what is left when it goes down."""
        finished = []
        losses = 0
        while True:
            attempt = self.attempt(suite, self.filter_without(finished))
            finished += [case.name for case in attempt.cases]
            if attempt.complete:
                break
            if attempt.open_case is None:
                losses += 1
                how = f"{attempt.how_it_ended(suite.in_vm)}, in no case"
                if attempt.is_lost_to_emulator(suite.in_vm) and losses <= LOSSES:
                    say(f"  {suite.name}: {how}; once more")
                    continue
                self.fail_suite(f"{how}\n{attempt.rest}")
                break
            if GIVEN_UP.is_set():
                break
            self.settle(suite, attempt)
            finished.append(attempt.open_case)
        if not self.report.cases and not self.filter:
            self.fail_suite("it has no cases")
        elif attempt.complete and attempt.status and (
            not self.report.count(FAILED) or OUTSIDE.search(attempt.rest)
        ):
            self.fail_suite(f"it ended with status {attempt.status} though no case failed\n{attempt.rest}")

    def settle(self, suite, attempt):
        """Judges the case in which an attempt ended, with a second run of it alone."""
        name = attempt.open_case
        first = attempt.how_it_ended(suite.in_vm)
        say(f"  {name}: {first}; once more, alone")
        again = self.attempt(suite, name, record=False)
        if again.complete and again.cases:
            case = again.cases[0]
            second = case.verdict
            if not attempt.is_lost_to_emulator(suite.in_vm):
                case.verdict = FAILED
        else:
            second = again.how_it_ended(suite.in_vm)
            case = Case(name, FAILED, 0, again.open_output + again.rest)
        case.output = (
            f"{attempt.open_output}first run: {first}\n{case.output}second run, alone: {second}\n"
        )
        self.record(case)
        say(f"  {name}: first run: {first}; second run: {second}")

    def filter_without(self, finished):
        """The filter that leaves out cases, in GoogleTest's syntax."""
        positive, _, negative = self.filter.partition("-")
        leave_out = ":".join([*([negative] if negative else []), *finished])
        return f"{positive or '*'}-{leave_out}" if leave_out else positive or "*"

    def attempt(self, suite, pattern, record=True):
        command = [*suite.command, f"--gtest_filter={pattern}"]
        if suite.in_vm:
            command = [*self.vm_for(suite), "--no-retry", "--", *command]
        parser = Parser(self.record if record else lambda case: None)
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        RUNNING.add(process)
        if GIVEN_UP.is_set():
            process.terminate()
        for line in process.stdout:
            parser.feed(line.decode(errors="replace").rstrip("\r\n"))
        parser.attempt.status = process.wait()
        RUNNING.discard(process)
        return parser.attempt

    def vm_for(self, suite):
        kernel = suite.kernel or self.kernel
        # A case that boots Linux says nothing until it is over.
        seconds, silence = 3600, ["--silence", "720"]
        if kernel == "debug":
            # It checks each access to memory, and scans all of it for leaks.
            seconds = 5400
        seconds += int(os.environ.get("VMCTL_SOAK", 0))
        return [
            *self.vm, *(["--kernel", kernel] if kernel else []), *suite.vm_options,
            "--timeout", str(seconds), *silence,
        ]

    def fail_suite(self, why):
        self.record(Case("as a whole", FAILED, 0, why + "\n"))

    def record(self, case):
        self.report.cases.append(case)
        note = f": {case.reason}" if case.verdict == SKIPPED else ""
        told = case.output.splitlines() if case.verdict == FAILED or self.verbose else []
        say(f"{case.verdict:8}{self.report.suite} {case.name} ({case.milliseconds} ms){note}",
            *(f"        {line}" for line in told))
        self.save()

    def save(self):
        self.results.mkdir(parents=True, exist_ok=True)
        path = self.results / f"{self.report.suite}.json"
        fresh = path.with_suffix(".partial")
        fresh.write_text(json.dumps(asdict(self.report), indent=1) + "\n")
        fresh.rename(path)


def run_all(runner, suites, jobs):
    """Runs suites, some side by side, each by a runner of its own; returns their reports.

    When it is interrupted or ended, so are the suites' programs.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))

    def run(suite):
        return None if GIVEN_UP.is_set() else runner().run(suite)

    with ThreadPoolExecutor(jobs) as pool:
        try:
            return list(pool.map(run, suites))
        except BaseException:
            GIVEN_UP.set()
            for process in list(RUNNING):
                process.terminate()
            raise


def summary(reports, anything_must_run):
    """Prints what it all came to, and returns the exit status."""
    passed, failed, skipped = (
        sum(report.count(verdict) for report in reports) for verdict in (PASSED, FAILED, SKIPPED)
    )
    print("---")
    for report in reports:
        print(f"{report.suite}: {len(report.cases)} cases in {report.seconds:g} s")
    for report in reports:
        for case in report.cases:
            if case.verdict != PASSED:
                note = f": {case.reason}" if case.verdict == SKIPPED else ""
                print(f"{case.verdict:8}{report.suite} {case.name}{note}")
    if anything_must_run and not passed + failed + skipped:
        print("no case matches the filter")
        failed = 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped", flush=True)
    return 1 if failed else 0
