#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prove the arithmetic: rate.rs, deadline.rs, margin.rs and frequency.rs of rust/clock.

rustc compiles the files to LLVM's intermediate code; llvm.py makes z3 terms of that, and z3
proves what theorems.py, margins.py and frequencies.py say, for each shift from 0 to 32
and all values of everything else; Documentation/proof.rst says what that is.  That the terms mean
what the machine does is checked with the machine code of the same compilation (machine.py).
--faults plants faults (faults.py), each of which has to be found.

Needs rustc (1.85 or later) and Debian's python3-z3.  Prints TAP.
"""

import argparse
import multiprocessing
import os
import pathlib
import sys
import tempfile
import time

try:
    import z3
except ModuleNotFoundError:
    sys.exit("prove.py: python3-z3 is missing (apt install python3-z3, and run Debian's python3)")

from compiler import RUST, compile_code
from faults import FAULTS, compile_planter, plant
from machine import VECTORS, differences
from solver import ask, proofs


class Tap:
    """Numbered results."""

    def __init__(self):
        """Nothing counted yet."""
        self.count = self.failed = 0

    def result(self, passed, name, detail=""):
        """Print one result, and a detail where it failed."""
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if detail and not passed:
            print("".join(f"# {line}\n" for line in str(detail).splitlines()), end="", flush=True)
        return passed


def prove(task):
    """Prove all that is to be proven of one shift: [(passed, name, why not)]."""
    source, shift, timeout = task
    results = []
    for name, facts, claims in proofs(source, shift):
        passed, reason = ask(facts, claims, timeout)
        results.append((passed is True, name, reason))
    return results


def shifts(text):
    """The shifts in a list such as 0,20-32."""
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    if not numbers or not set(numbers) <= set(range(33)):
        raise argparse.ArgumentTypeError("shifts are 0 to 32")
    return numbers


def main():
    """Prove, or plant faults."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--faults", action="store_true", help="plant faults, each to be found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time")
    parser.add_argument("--rustc", default="rustc", help="the compiler (default: rustc)")
    parser.add_argument("--seed", type=int, default=7304, help="of the vectors (default: 7304)")
    parser.add_argument("--shifts", type=shifts, default="0-32", help="such as 0,20-32; all if not "
                        "given, which takes about 90 s of one core")
    parser.add_argument("--timeout", type=int, default=300, metavar="SECONDS",
                        help="for one proof (default: 300)")
    options = parser.parse_args()
    tap, start = Tap(), time.monotonic()

    print(f"TAP version 13\n# z3 {z3.get_version_string()}, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="raw_hrtimer-proof-") as folder, \
            multiprocessing.Pool(options.jobs) as pool:
        if options.faults:
            planter = compile_planter(options.rustc, pathlib.Path(folder))
            tasks = [(fault, planter, options.rustc, options.timeout) for fault in FAULTS]
            for name, found, otherwise in pool.imap(plant, tasks):
                tap.result(found is not None, f"{name}: {found or otherwise}")
        else:
            source, library = compile_code(options.rustc, RUST, pathlib.Path(folder))
            for name, difference, missed in differences(source, library, options.seed):
                tap.result(difference is None,
                           f"{name}: terms and machine code agree on {VECTORS} inputs", difference)
                tap.result(not missed, f"{name}: the inputs meet every kind of result", missed)
            tasks = [(source, shift, options.timeout) for shift in (None, *options.shifts)]
            for results in pool.imap(prove, tasks):
                for passed, name, reason in results:
                    tap.result(passed, name, reason)
    print(f"1..{tap.count}\n# {tap.count - tap.failed} passed, {tap.failed} failed, "
          f"{time.monotonic() - start:.0f} s")
    return 1 if tap.failed or not tap.count else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
