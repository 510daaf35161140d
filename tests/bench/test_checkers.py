# SPDX-License-Identifier: GPL-2.0
"""What counts as a splat, and that one in a machine's log fails a suite."""

from pathlib import Path
import sys
import tempfile
import unittest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
from bench.machines import splats  # noqa: E402
from bench.suites import checkers, ktap  # noqa: E402

SPLATS = """\
BUG: KASAN: slab-use-after-free in use_after_free+0x40/0x50
WARNING: possible circular locking dependency detected
[ BUG: Invalid wait context ]
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:591
WARNING: suspicious RCU usage
ODEBUG: free active (active state 0) object: 00000000 object type: hrtimer
WARNING: kernel/locking/irqflag-debug.c:10 at warn_bogus_irq_restore+0x2a/0x40
BUG: using smp_processor_id() in preemptible [00000000] code: sh/80
UBSAN: shift-out-of-bounds in fault.c:120:7
rust_kernel: panicked at fault_rust.rs:40:5:
INFO: trying to register non-static key.
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
""".splitlines()
HARMLESS = """\
raw_hrtimer_test_fault: shift, which CONFIG_UBSAN_SHIFT reports
KVM's timers are as before
Lock dependency validator: Copyright (c) 2006 Red Hat, Inc., Ingo Molnar
""".splitlines()
ASKED_FOR = "WARNING: c/shim.c:111 at rht_warn_mode+0x1c/0x20 [raw_hrtimer], CPU#0: sh/90"


def kmsg(*lines):
    return "".join(f"<6>[    1.000000] {line}\n" for line in lines).encode()


class Splats(unittest.TestCase):
    def test_each_is_found(self):
        for line in SPLATS:
            with self.subTest(line):
                self.assertEqual(len(splats.find(kmsg(line))), 1)

    def test_others_are_not(self):
        self.assertEqual(splats.find(kmsg(*HARMLESS)), [])


class Checked(unittest.TestCase):
    def run_with(self, *lines):
        with tempfile.TemporaryDirectory() as folder:
            class Context:
                log = Path(folder, "suite.log")

            checkers.machine_log(Context).write_bytes(
                b"==== console\nBUG: not the log\n==== kernel log\n" + kmsg(*lines)
                + b"==== stdout\n[    1.0] BUG: what a test has printed\n")
            return checkers.checked(lambda _: ktap.Count(passed=1))(Context)

    def test_a_clean_log_is_a_test(self):
        self.assertEqual(self.run_with(*HARMLESS).summary(), "2 passed, 0 failed")

    def test_a_splat_fails_the_suite(self):
        for line in SPLATS:
            self.assertEqual(self.run_with(line).summary(), "1 passed, 1 failed")

    def test_what_was_asked_for_does_not(self):
        self.assertEqual(self.run_with(ASKED_FOR).failed, 0)

    def test_no_log_fails_the_suite(self):
        self.assertEqual(self.run_with().failed, 1)


if __name__ == "__main__":
    unittest.main()
