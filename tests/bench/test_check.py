# SPDX-License-Identifier: GPL-2.0
"""The runner: order, suites that break, and an honest sum."""

import contextlib
import io
import json
import os
from pathlib import Path
import signal
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.cache import BenchError  # noqa: E402
from bench.suites import check, ktap, record  # noqa: E402


def passing(_context):
    return ktap.Count(passed=2)


def failing(_context):
    return ktap.Count(passed=1, failures=["one"])


def run(*suites, cores=2):
    with tempfile.TemporaryDirectory() as logs, contextlib.redirect_stdout(io.StringIO()):
        runner = check.Runner(suites, Path(logs), cores)
        return runner.run(), runner.table()


class Runner(unittest.TestCase):
    def test_sum(self):
        total, _ = run(check.Suite("a", passing), check.Suite("b", failing))
        self.assertEqual(total.summary(), "3 passed, 1 failed")

    def test_what_depends_on_a_failure_fails_too(self):
        total, table = run(check.Suite("a", failing), check.Suite("b", passing, ("a",)),
                           check.Suite("c", passing, ("b",)))
        self.assertEqual((total.passed, total.failed), (1, 3))
        self.assertIn("not run, as a failed", table)

    def test_a_suite_that_breaks(self):
        def breaks(_context):
            raise KeyError("x")
        self.assertEqual(run(check.Suite("a", breaks))[0].failed, 1)

    def test_a_suite_that_returns_no_count(self):
        self.assertEqual(run(check.Suite("a", lambda _context: passing))[0].failed, 1)

    def test_what_a_failed_suite_said_before_is_told_at_the_end(self):
        def says(context):
            for text in ("ok 1 fine", "# the guest has ended", "not ok 2 the guest", "# afterwards"):
                context.note(text)
            return ktap.Count(passed=1, failures=["the guest"])
        lines = run(check.Suite("a", says))[1].splitlines()
        at = lines.index("    # the guest has ended")
        self.assertEqual(lines[at + 1], "    not ok 2 the guest")
        self.assertTrue(lines[at + 2].startswith("FAILED a: the guest"))

    def test_a_bench_that_cannot(self):
        def cannot(_context):
            raise BenchError("no disk")
        self.assertEqual(run(check.Suite("a", cannot))[0].failures, ["no disk"])

    def test_order(self):
        order = []

        def note(name):
            return lambda _context: order.append(name) or ktap.Count(passed=1)
        run(check.Suite("late", note("late"), ("early",)), check.Suite("early", note("early")))
        self.assertEqual(order, ["early", "late"])

    def test_the_longest_way_to_the_end_is_first(self):
        order = []

        def suite(name, seconds, after=()):
            return check.Suite(name, lambda _context: order.append(name) or ktap.Count(passed=1),
                               after, seconds=seconds)
        run(suite("short", 10), suite("long", 50), suite("build", 5, ("fetch",)),
            suite("behind", 70, ("build",)), suite("fetch", 1), cores=1)
        self.assertEqual(order, ["fetch", "build", "behind", "long", "short"])

    def test_a_part_of_a_processor(self):
        both = threading.Barrier(2, timeout=20)
        total, _ = run(*[check.Suite(name, lambda _context: both.wait() * 0 or ktap.Count(passed=1),
                                     cores=0.5) for name in "ab"], cores=1)
        self.assertEqual(total.summary(), "2 passed, 0 failed")

    def test_suites_that_wait_for_each_other(self):
        with self.assertRaises(ValueError):
            run(check.Suite("a", passing, ("b",)), check.Suite("b", passing, ("a",)))

    def test_the_table_begins_with_the_slowest(self):
        def slow(_context):
            time.sleep(0.6)
            return ktap.Count(passed=1)
        _, table = run(check.Suite("fast", passing), check.Suite("slow", slow), cores=1)
        self.assertLess(table.index("slow"), table.index("fast"))
        self.assertIn("all of it", table)

    def test_a_suite_of_skips_fails(self):
        def skipping(_context):
            return ktap.Count(skipped=3)
        self.assertEqual(run(check.Suite("a", skipping))[0].failures,
                         ["all of its tests were skipped"])
        self.assertEqual(run(check.Suite("a", skipping, may_skip=True))[0].failures, [])

    def test_more_cores_than_there_are(self):
        self.assertEqual(run(check.Suite("a", passing, cores=8), cores=1)[0].passed, 2)


class Interrupted(unittest.TestCase):
    """What a run says that Ctrl-C, or a time limit's SIGTERM, has ended."""

    def setUp(self):
        # A shell's background has SIGINT ignored.
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def test_it_says_how_far_each_suite_came(self):
        running = threading.Event()

        def endless(context):
            context.note("ok 1 one")
            context.note("not ok 2 two")
            context.note("ok 3 three # SKIP no such thing")
            context.note("ok 4 four")
            running.set()
            return context.command(["sleep", "60"])

        def interrupt():
            running.wait(20)
            os.kill(os.getpid(), signal.SIGINT)

        with tempfile.TemporaryDirectory() as logs, \
                contextlib.redirect_stdout(io.StringIO()) as said:
            runner = check.Runner([
                check.Suite("done", passing, seconds=99), check.Suite("endless", endless, ("done",)),
                check.Suite("never", passing, ("endless",))], Path(logs), 1)
            for name in ("endless", "never"):
                record.write(Path(logs), [(name, ktap.Count(passed=9), 1)], None, "abc", 2)
            threading.Thread(target=interrupt).start()
            with self.assertRaises(KeyboardInterrupt):
                runner.run()
            # The log of the one is another now.
            self.assertEqual(list(record.read(Path(logs))["suites"]), ["never"])
        lines = said.getvalue().splitlines()
        self.assertTrue(any(line.startswith("done ") and line.endswith("2 passed, 0 failed")
                            for line in lines), lines)
        self.assertTrue(any(line.startswith("NOT ENDED endless: after ")
                            and line.endswith("2 passed, 1 failed until then") for line in lines))
        self.assertIn("NOT RUN: never", lines)
        self.assertTrue(any(line.startswith("FAILED endless: not ok 2 two") for line in lines))


class TimeLimit(unittest.TestCase):
    def test_what_a_shell_has_started_ends_with_it(self):
        ended = []

        def suite(context):
            ended.append(context.command(["sh", "-c", "sleep 60; true"], timeout=1))
            return ktap.Count(passed=1)
        begin = time.monotonic()
        run(check.Suite("a", suite))
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual(ended, [(["ended by signal 15 (time limit: 1 s)"], -15)])


class OwnTests(unittest.TestCase):
    """Those that a suite makes itself."""

    def test_passed_and_failed(self):
        logs = []

        def suite(context):
            count = ktap.Count()
            context.test(count, "one", True, "")
            context.test(count, "two", False, "")
            context.test(count, "three", False, "it is so")
            logs.append(context.log.read_text())
            return count
        count = run(check.Suite("a", suite))[0]
        self.assertEqual((count.passed, count.failures), (1, ["two: ", "three: it is so"]))
        self.assertEqual(logs, ["ok 1 one\nnot ok 2 two\nnot ok 3 three\n"])


class ResultsOf(unittest.TestCase):
    """A program that leaves results.json."""

    def count(self, lines, status, result, judged):
        def suite(context):
            file = context.log.with_suffix("") / "results.json"

            def command(argv, **_how):
                self.assertEqual(argv[1:], ["--quick", "--output", file.parent])
                self.assertFalse(file.exists())     # that of an earlier run
                if result is not None:
                    file.write_text(json.dumps(result))
                return lines, status
            file.parent.mkdir()
            file.write_text("an earlier run's")
            with mock.patch.object(context, "command", command):
                return check.results_of(context, "demo", "--quick", judge=judged)
        return run(check.Suite("a", suite))[0]

    def test_what_is_judged_counts(self):
        count = self.count([], 1, {"n": 3}, lambda r: ktap.Count(passed=r["n"], failures=["x"]))
        self.assertEqual((count.passed, count.failures), (3, ["x"]))

    def test_no_results(self):
        count = self.count([], 2, None, passing)
        self.assertEqual(count.failures, ["scripts/demo gave no results (status 2)"])

    def test_what_is_not_to_be_trusted_fails(self):
        count = self.count(["fine", "NOT TO BE TRUSTED: x"], 2, {}, passing)
        self.assertEqual(count.failures, ["NOT TO BE TRUSTED: x"])

    def test_an_exit_status_fails_alone(self):
        self.assertEqual(self.count([], 2, {}, passing).failures, ["exit status 2"])

    def test_nothing_is_judged(self):
        def nothing(_result):
            return ktap.Count()
        self.assertEqual(self.count([], 0, {}, nothing), ktap.Count(passed=1))
        self.assertEqual(self.count([], 1, {}, nothing).failures, ["exit status 1"])


class Progress(unittest.TestCase):
    def test_steps_and_results_are_told(self):
        def suite(context):
            context.note("[ 1m02s] machine 1: run 4 of 25: host clock 0")
            context.note("[ 1m17s] machine 1: still at run 4 of 25: host clock 0")
            context.note("    # round 50 of 1000")
            context.note("    ok 3 a test")
            context.note("what nobody waits for")
            return ktap.Count(passed=1)
        with tempfile.TemporaryDirectory() as logs, \
                contextlib.redirect_stdout(io.StringIO()) as said:
            runner = check.Runner([check.Suite("a", suite)], Path(logs), 1)
            runner.run()
        self.assertIn("a: machine 1: run 4 of 25", said.getvalue())
        self.assertIn("a: round 50 of 1000", said.getvalue())
        self.assertIn("a: ok 3 a test", said.getvalue())
        self.assertNotIn("nobody", said.getvalue())
        self.assertEqual(runner.jobs["a"].doing, "ok 3 a test")


class Command(unittest.TestCase):
    def output(self, argv, **options):
        found = []

        def suite(context):
            found.append(context.command(argv, **options))
            found.append(context.log.read_text())
            return ktap.Count(passed=1)
        total, _ = run(check.Suite("a", suite))
        self.assertEqual(total.failures, [])
        return found

    def test_streams(self):
        (lines, status), log = self.output(["sh", "-c", "echo out; echo err >&2; exit 3"])
        self.assertEqual((lines, status), (["out"], 3))
        self.assertIn("err\n", log)

    def test_time_limit(self):
        (lines, status), _ = self.output(["sh", "-c", "echo begun; exec sleep 60"], timeout=0.3)
        self.assertLess(status, 0)
        self.assertIn("time limit", lines[-1])

    def test_time_limit_of_what_blocks_sigterm(self):
        with mock.patch.object(check, "GRACE", 0.3):
            (_, status), _ = self.output(
                ["sh", "-c", "trap '' TERM; echo begun; exec sleep 60"], timeout=0.3)
        self.assertEqual(status, -signal.SIGKILL)


if __name__ == "__main__":
    unittest.main()
