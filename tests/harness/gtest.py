# SPDX-License-Identifier: GPL-2.0
"""Lets Python's unittest speak as GoogleTest does."""

import argparse
import fnmatch
import sys
import time
import unittest


def name_of(test):
    return test.id().removeprefix("__main__.")


class Printer(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.begin, self.verdict = time.monotonic(), "      OK"
        print(f"[ RUN      ] {name_of(test)}", flush=True)

    def stopTest(self, test):
        milliseconds = (time.monotonic() - self.begin) * 1000
        print(f"[{self.verdict:>9} ] {name_of(test)} ({milliseconds:.0f} ms)", flush=True)
        super().stopTest(test)

    def fail(self, test, error):
        self.verdict = "  FAILED "
        print(self._exc_info_to_string(error, test))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.fail(test, err)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.verdict = " SKIPPED "
        print(reason)


def each(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from each(test)
        else:
            yield test


def matches(name, pattern):
    """GoogleTest's filter: wanted:wanted-unwanted:unwanted."""
    positive, _, negative = pattern.partition("-")

    def any_of(patterns):
        return any(fnmatch.fnmatchcase(name, one) for one in patterns.split(":") if one)

    return any_of(positive or "*") and not any_of(negative)


def main():
    """Runs the tests of the calling program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--gtest_filter", default="*")
    pattern = parser.parse_args().gtest_filter
    loaded = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    tests = [test for test in each(loaded) if matches(name_of(test), pattern)]
    result = Printer()
    unittest.TestSuite(tests).run(result)
    print(f"[==========] {len(tests)} tests from {parser.prog} ran.", flush=True)
    sys.exit(0 if result.wasSuccessful() else 1)
