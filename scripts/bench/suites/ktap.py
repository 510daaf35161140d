# SPDX-License-Identifier: GPL-2.0
"""What tests print, counted: KTAP, and the summaries of cargo and Python's unittest.

A Count is what "make check" adds up.  Whatever shows that not all tests ran (a
missing or broken plan, an exit status that the output does not explain) is a
failure too, so that no crash passes for success.
"""

from dataclasses import dataclass, field
import re

SKIP_STATUS = 4     # of a kselftest


@dataclass
class Count:
    passed: int = 0
    skipped: int = 0
    failures: list = field(default_factory=list)    # sentences

    @property
    def failed(self):
        return len(self.failures)

    @property
    def total(self):
        return self.passed + self.skipped + self.failed

    def __iadd__(self, other):
        self.passed += other.passed
        self.skipped += other.skipped
        self.failures += other.failures
        return self

    def summary(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


@dataclass
class _Level:
    """The tests of one indentation, between a version line and the end of the last."""
    indent: int
    plan: int = None
    skipped_plan: bool = False
    seen: int = 0
    failures: int = 0       # here and below


_LINE = re.compile(r"(?P<indent> *)(?:(?P<version>K?TAP version \d+)|1\.\.(?P<plan>\d+)"
                   r"(?P<skip> +# *SKIP\b.*)?|(?P<result>(?:not )?ok) (?P<number>\d+)"
                   r"(?: +(?:- +)?(?P<name>.*))?|(?P<bail>Bail out!.*))\s*$")
_KERNEL_LOG = re.compile(r"^(?:<\d+>)?\[ *\d+\.\d+\] ")
_DIRECTIVE = re.compile(r"(?:^|\s)#\s*(SKIP|TODO|XFAIL|XPASS)\b", re.I)


class _Parser:
    def __init__(self):
        self.count = Count()
        self.levels = []        # open ones, the outermost first
        self.documents = 0

    def fail(self, sentence):
        self.count.failures.append(sentence)
        for level in self.levels:
            level.failures += 1

    def close(self):
        """End the innermost level; its plan must have been fulfilled."""
        level = self.levels[-1]
        if level.plan is None:
            self.fail("there is no plan")
        elif level.plan != level.seen:
            self.fail(f"{level.plan} tests were planned, {level.seen} reported")
        if level.skipped_plan:
            self.count.skipped += 1
        self.levels.pop()
        return level

    def close_deeper(self, indent):
        """End the levels deeper than this; the outermost of them, if there is one."""
        inner = None
        while self.levels and self.levels[-1].indent > indent:
            inner = self.close()
        return inner

    def line(self, text):
        match = _LINE.match(_KERNEL_LOG.sub("", text.rstrip()))
        if not match:
            return
        indent = len(match["indent"])
        if match["bail"]:
            self.fail(match["bail"])
            return
        inner = self.close_deeper(indent)
        here = self.levels and self.levels[-1].indent == indent
        if match["version"]:
            if here:
                self.close()
            self.levels.append(_Level(indent))
            self.documents += 1
            return
        if not here:
            self.levels.append(_Level(indent))
        level = self.levels[-1]
        if match["plan"] is not None:
            if level.plan is not None:
                self.fail("there are two plans")
            level.plan = int(match["plan"])
            level.skipped_plan = level.plan == 0 and match["skip"] is not None
        else:
            self.result(level, match, inner)

    def result(self, level, match, inner):
        level.seen += 1
        if int(match["number"]) != level.seen:
            self.fail(f"test {match['number']} comes as number {level.seen}")
        name = match["name"] or f"test {match['number']}"
        found = _DIRECTIVE.search(name)
        directive = found[1].upper() if found else ""
        if inner and (inner.seen or inner.skipped_plan):
            # A summary of what was counted already: it can only add a failure.
            if match["result"] == "not ok" and not inner.failures:
                self.fail(name)
        elif directive == "SKIP":
            self.count.skipped += 1
        elif match["result"] == "ok" or directive in ("TODO", "XFAIL"):
            self.count.passed += 1
        else:
            self.fail(name)


def ktap(lines, status=0):
    """Count KTAP or TAP documents, one or several, and the exit status behind them."""
    parser = _Parser()
    for line in lines:
        parser.line(line)
    while parser.levels:
        parser.close()
    count = parser.count
    if count.total == 0:
        count.failures.append("no test has reported a result")
    if status not in (0, SKIP_STATUS) and not count.failed:
        count.failures.append(f"all is well, but the exit status is {status}")
    if status == SKIP_STATUS and not count.failed and not count.skipped:
        count.failures.append("the exit status says skipped, no test does")
    return count


def program(name, status, lines=()):
    """Count a program that is one test: its exit status is all that it says."""
    if status == 0:
        return Count(passed=1)
    if status == SKIP_STATUS:
        return Count(skipped=1)
    said = [line.strip() for line in lines if line.strip()]
    return Count(failures=[f"{name}: exit status {status}"
                           + (f", {said[-1][:100]}" if said else "")])


def _summaries(text, status, found, what):
    """Add up (passed, failed, skipped) triples, and what the status has to add."""
    count = Count()
    for passed, failed, skipped in found:
        count.passed += passed
        count.skipped += skipped
        count.failures += [f"a {what} test"] * failed
    names = re.findall(r"^(?:---- (\S+) stdout ----|(?:FAIL|ERROR): (.+))$", text, re.M)
    for number, name in enumerate(names[:count.failed]):
        count.failures[number] = name[0] or name[1]
    if count.total == 0:
        error = re.search(r"^error.*$", text, re.M)
        count.failures.append("no test has reported a result"
                              + (f": {error[0]}" if error else ""))
    elif status and not count.failed:
        count.failures.append(f"all is well, but the exit status is {status}")
    return count


def cargo(lines, status=0):
    """Count what "cargo test" prints."""
    text = "\n".join(lines)
    found = re.findall(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;",
                       text, re.M)
    return _summaries(text, status, [tuple(map(int, f)) for f in found], "cargo")


def unittest(lines, status=0):
    """Count what "python3 -m unittest" prints."""
    text = "\n".join(lines)
    found = []
    for total, details in re.findall(r"^Ran (\d+) tests? in .*\n+(?:OK|FAILED)(.*)$",
                                     text, re.M):
        numbers = {k: int(v) for k, v in re.findall(r"([a-z][a-z ]*)=(\d+)", details)}
        failed = (numbers.get("failures", 0) + numbers.get("errors", 0)
                  + numbers.get("unexpected successes", 0))
        skipped = numbers.get("skipped", 0)
        found.append((int(total) - failed - skipped, failed, skipped))
    return _summaries(text, status, found, "Python")
