# SPDX-License-Identifier: GPL-2.0
"""Runs suites of tests, side by side where processors are left, and adds up.

A suite is a function that gets a Context and returns a ktap.Count.  Its output
goes to a log of its own; lines that tell of a result are shown as they come.

The suite that starts next is the one with the longest way to the end of the run: its
own time, and that of what waits for it.  Suites that keep several processors busy start first,
as soon as these are free.
"""

import contextlib
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import re
import signal
import subprocess
import threading
import time
import traceback
from typing import Callable

from ..cache import BenchError, Silence, TREE, elapsed, say
from . import record
from .ktap import Count

SAID = 12           # lines of a failed suite's log in the table
GRACE = 20          # seconds from SIGTERM to SIGKILL, which what runs in the root needs
# How far a suite's programs say they are, by cache.say, and a test in a machine, by a comment.
_STEP = re.compile(r"(?:\[ *\d+m\d\ds\]|\s*#) (.*\b(?:run|step|round) \d+ of \d+\b.*)")
_RESULT = re.compile(r"\s*(?:not )?ok \d|\s*(?:1\.\.\d|Bail out!)|test .* \.\.\. |test result: ")
# A result that counts in a summary of a run that was ended.
_PASSED = re.compile(r"\s*ok \d+ (?!.*# SKIP)|test .* \.\.\. ok$")
_FAILED = re.compile(r"\s*not ok \d+ (?!.*# (?:TODO|XFAIL))|test .* \.\.\. FAILED$")


@dataclass(frozen=True)
class Suite:
    name: str
    run: Callable
    after: tuple = ()       # names of suites without which this one cannot run
    cores: float = 1        # how many it keeps busy; a part of one, if it sleeps for the rest
    seconds: int = 60       # about how long it takes, two processors and a warm cache: for the order
    long: bool = False      # only in "make check-long"
    quick: bool = False     # in "make check-quick", too
    may_skip: bool = False  # all of it, for want of something that need not be there


def uses(run, *words):
    """A suite's function, with the words of what it runs, for scripts/check --changed."""
    run.words = words
    return run


def end(process, signum):
    """Send a signal to a command of a suite, and to all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signum)


class Context:
    """What a suite is given: its log, and a way to run commands that can be ended."""

    def __init__(self, runner, suite):
        self._runner = runner
        self.name = suite.name
        self.log = runner.logs / f"{suite.name}.log"
        self.log.write_bytes(b"")

    def note(self, text):
        """Write to the log, and to the terminal if it tells of a result."""
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else text + "\n")
        step = _STEP.match(text)
        if step or _RESULT.match(text):
            self._runner.progress(self.name, step[1] if step else text.strip())

    def test(self, count, name, passed, why):
        """Count a test that this program makes itself; why: what to say if it failed."""
        self.note(f"{'ok' if passed else 'not ok'} {count.total + 1} {name}")
        if passed:
            count.passed += 1
        else:
            count.failures.append(f"{name}: {why}")

    def command(self, argv, timeout=1200, merge=False, **popen):
        """Run argv; (lines of stdout, exit status).

        stderr is only logged, or with merge=True taken for stdout.
        """
        self.note("$ " + " ".join(map(str, argv)))
        lines = []
        with open(self.log, "ab") as log, subprocess.Popen(
                [str(arg) for arg in argv], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, text=True, errors="replace", start_new_session=True,
                stderr=subprocess.STDOUT if merge else log, **popen) as process:
            self._runner.started(process)
            late = [threading.Timer(timeout, end, (process, signal.SIGTERM)),
                    threading.Timer(timeout + GRACE, end, (process, signal.SIGKILL))]
            for timer in late:
                timer.start()
            try:
                for line in process.stdout:
                    self.note(line)
                    lines.append(line.rstrip("\n"))
                status = process.wait()
            finally:
                for timer in late:
                    timer.cancel()
                self._runner.ended(process)
        if status < 0:
            lines.append(f"ended by signal {-status} (time limit: {timeout} s)")
        return lines, status


def results_of(context, script, *options, judge, folder="", **how):
    """Run a program of scripts/ that leaves results.json; judge() makes a Count of these.

    folder: for them, within the suite's own, where it runs several such programs.

    What the program says is not to be trusted is a failure, and so is an exit status for
    which there is no other.  One that nothing was judged of and that succeeds is one test.
    """
    output = context.log.with_suffix("") / folder
    file = output / "results.json"
    file.unlink(missing_ok=True)
    lines, status = context.command(
        [TREE / "scripts" / script, *options, "--output", output], **how)
    if not file.exists():
        raise BenchError(f"scripts/{script} gave no results (status {status})")
    count = judge(json.loads(file.read_text(encoding="utf-8")))
    if not count.total and status == 0:
        count.passed = 1
    count.failures += [line for line in lines if line.startswith("NOT TO BE TRUSTED")]
    if status and not count.failed:
        count.failures.append(f"exit status {status}")
    return count


@dataclass
class _Job:
    suite: Suite
    thread: threading.Thread = None
    begin: float = 0
    seconds: float = 0
    doing: str = ""         # what it last told
    told: Count = field(default_factory=Count)      # the results that it told until now
    count: Count = None     # None until it has ended


class Runner:
    def __init__(self, suites, logs, cores):
        self.logs = logs
        self.jobs = {suite.name: _Job(suite) for suite in suites}
        self._cores = cores
        self._changed = threading.Condition()
        self._processes = set()
        self._stopped = False
        self._begin = time.monotonic()
        self._silence = Silence()
        self._ahead = {}
        for suite in reversed(_in_order_of_need(suites)):
            waiting = [s.name for s in suites if suite.name in s.after]
            self._ahead[suite.name] = suite.seconds + max(
                (self._ahead[name] for name in waiting), default=0)
        logs.mkdir(parents=True, exist_ok=True)

    def news(self, text):
        self._silence.broken()
        print(f"[{elapsed():>6}] {text}", flush=True)

    def progress(self, name, text):
        if self._stopped:       # how far it came has been told
            return
        job = self.jobs[name]
        job.doing = text
        if _PASSED.match(text):
            job.told.passed += 1
        elif _FAILED.match(text):
            job.told.failures.append(text)
        self.news(f"{name}: {text}")

    def started(self, process):
        with self._changed:
            self._processes.add(process)
            if self._stopped:
                end(process, signal.SIGTERM)

    def ended(self, process):
        with self._changed:
            self._processes.discard(process)

    def run(self):
        """Run all suites; their total.  An interrupt first tells how far they came."""
        try:
            with self._changed:
                while any(job.count is None for job in self.jobs.values()):
                    self._start_what_can()
                    self._changed.wait(1)
                    self._break_silence()
        except KeyboardInterrupt:
            print(self.table(), flush=True)
            raise
        finally:
            self._stop()
        total = Count()
        for job in self.jobs.values():
            total += job.count
        return total

    @property
    def seconds(self):
        return time.monotonic() - self._begin

    def results(self):
        """(name, Count, seconds) of each suite that ran."""
        return [(name, job.count, job.seconds) for name, job in self.jobs.items() if job.thread]

    def _needs(self, job):
        return [self.jobs[name] for name in job.suite.after if name in self.jobs]

    def _start_what_can(self):
        """Called with the lock held."""
        for job in self.jobs.values():
            broken = [n.suite.name for n in self._needs(job) if n.count and n.count.failed]
            if broken and not job.thread and job.count is None:
                job.count = Count(failures=[f"not run, as {broken[0]} failed"])
                self.news(f"{job.suite.name}: {job.count.failures[0]}")
        running = [j for j in self.jobs.values() if j.thread and j.count is None]
        free = self._cores - sum(min(j.suite.cores, self._cores) for j in running)
        ready = [j for j in self.jobs.values() if not j.thread and j.count is None
                 and all(n.count is not None for n in self._needs(j))]
        # Those that want several processors first: what needs one fills the rest, at the end too.
        for job in sorted(ready, key=lambda j: (j.suite.cores <= 1, -self._ahead[j.suite.name])):
            cores = min(job.suite.cores, self._cores)
            if cores > free:
                continue
            free -= cores
            self.news(f"{job.suite.name}: starting")
            job.begin = time.monotonic()
            record.forget(self.logs, job.suite.name)
            job.thread = threading.Thread(target=self._run_one, args=(job,), daemon=True)
            job.thread.start()

    def _run_one(self, job):
        count = Count()
        context = Context(self, job.suite)
        try:
            found = job.suite.run(context)
            if not isinstance(found, Count):
                raise TypeError(f"it returned {found!r}, not a Count")
            count = found
            if count.skipped and not count.passed and not count.failed and not job.suite.may_skip:
                count.failures.append("all of its tests were skipped")
        except BenchError as error:
            context.note(str(error))
            count.failures.append(str(error).splitlines()[0])
        except Exception as error:          # a bug of a suite is a failed test
            context.note(traceback.format_exc())
            count.failures.append(f"the suite broke: {error!r}")
        job.seconds = time.monotonic() - job.begin
        if self._stopped:       # it was ended, and what it had done has been told
            return
        self.news(f"{job.suite.name}: {count.summary()} in {job.seconds:.0f} s")
        for failure in count.failures:
            self.news(f"{job.suite.name}: FAILED: {failure}")
        with self._changed:
            job.count = count
            self._changed.notify()

    def _break_silence(self):
        if not self._silence.over():
            return
        now = time.monotonic()
        running = [f"{job.suite.name} ({now - job.begin:.0f} s"
                   + (f", at: {job.doing[:60]})" if job.doing else ")")
                   for job in self.jobs.values() if job.thread and job.count is None]
        done = sum(job.count is not None for job in self.jobs.values())
        say("check", f"{done} of {len(self.jobs)} suites done, running: {', '.join(running)}")

    def _stop(self):
        """End what still runs: only after an interrupt is there anything."""
        with self._changed:
            self._stopped = True
            for process in self._processes:
                end(process, signal.SIGTERM)
        until = time.monotonic() + GRACE
        for job in self.jobs.values():
            if job.thread:
                job.thread.join(max(0, until - time.monotonic()))
        with self._changed:
            for process in self._processes:
                end(process, signal.SIGKILL)

    def table(self):
        """What each suite did, the slowest first, and each failure again with its log."""
        now = time.monotonic()
        lines = [""]
        done = [job for job in self.jobs.values() if job.count is not None]
        for job in sorted(done, key=lambda j: -j.seconds):
            lines.append(f"{job.suite.name:20} {job.seconds:6.0f} s  {job.count.summary()}")
        lines.append(f"{'all of it':20} {now - self._begin:6.0f} s")
        for job in self.jobs.values():
            if job.count is None and job.thread:
                lines.append(f"NOT ENDED {job.suite.name}: after {now - job.begin:.0f} s, "
                             f"{job.told.summary()} until then")
        if idle := [name for name, j in self.jobs.items() if j.count is None and not j.thread]:
            lines.append(f"NOT RUN: {', '.join(idle)}")
        for name, job in self.jobs.items():
            log = self.logs / f"{name}.log"
            failures = (job.count or job.told).failures
            if failures:
                lines += [f"    {line}" for line in _said_before_failure(log)]
            lines += [f"FAILED {name}: {failure} (see {_shown(log)})" for failure in failures]
        return "\n".join(lines)


def _said_before_failure(log):
    """The end of what a suite said until its first failure: a log may be out of reach, as CI's."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    first = next((i for i, line in enumerate(lines) if _FAILED.match(line)), len(lines))
    return lines[max(0, first + 1 - SAID):first + 1]


def _in_order_of_need(suites):
    """The suites, each behind those that it needs."""
    found, left = [], list(suites)
    names = {suite.name for suite in suites}
    while left:
        ready = [s for s in left if not names & {n.name for n in left} & set(s.after)]
        if not ready:
            raise ValueError(f"these wait for each other: {', '.join(s.name for s in left)}")
        found += ready
        left = [s for s in left if s not in ready]
    return found


def _shown(path):
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
