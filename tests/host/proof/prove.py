#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Prove the expiry arithmetic: rust/rate.rs and rust/deadline.rs, for all inputs.

rustc compiles the two files to LLVM's intermediate code; llvm.py makes z3 terms of that, and z3
proves what theorems.py says, for each shift from 0 to 32 and all values of mult, cycle_last,
xtime_nsec, base and the deadline.  That the terms mean what the machine does is checked with the
machine code of the same compilation.  --faults plants faults, each of which has to be found.

Needs rustc (1.85 or later) and Debian's python3-z3.  Prints TAP.
"""

import argparse
import ctypes
import multiprocessing
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import z3
except ModuleNotFoundError:
    sys.exit("prove.py: python3-z3 is missing (apt install python3-z3, and run Debian's python3)")

import theorems
from llvm import Function

HERE = pathlib.Path(__file__).resolve().parent
RUST = HERE.parents[2] / "rust"
FUNCTIONS = ("expiry_kind", "expiry_ns", "mono")
# As the kernel is built.
FLAGS = ("--edition=2021", "-Copt-level=2", "-Coverflow-checks=y", "-Cpanic=abort",
         "-Cforce-unwind-tables=n", "-Ccodegen-units=1")
VECTORS = 3000

# (file, what it says, what it is made to say)
FAULTS = (
    ("deadline.rs", "self.shifted(cycles).wrapping_sub(1);", "self.shifted(cycles);"),
    ("deadline.rs", "(ns as i64).wrapping_add(1)", "(ns as i64)"),
    ("deadline.rs", "past || cycles == 0", "past"),
    ("deadline.rs", "past || cycles == 0", "cycles == 0"),
    ("deadline.rs", "if ns >= i64::MAX as u128", "if ns > i64::MAX as u128"),
    ("deadline.rs", "if ns >= i64::MAX as u128", "if ns >= (i64::MAX as u128) >> 1"),
    ("deadline.rs", "None => Expiry::Beyond", "None => Expiry::At(self.base)"),
    ("deadline.rs", "let ns = self.xtime_nsec >> self.rate.bits();", "let ns = self.xtime_nsec;"),
    ("deadline.rs", ".wrapping_add(self.xtime_nsec as u128)", ""),
    ("deadline.rs", "if cycles > i64::MAX as u64", "if cycles == u64::MAX"),
    ("rate.rs", "self.shift & 63", "self.shift & 31"),
    ("rate.rs", "shift > Self::SHIFT_MAX", "shift > 33"),
    ("rate.rs", "mult == 0 ||", "false ||"),
)


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


def compile_code(rustc, rust, out):
    """Compile the pure files in `rust`; returns the intermediate code and the library."""
    # code.rs finds them three levels up from itself.
    folder = out / "tree/tests/host/proof"
    folder.mkdir(parents=True)
    (out / "tree/rust").symlink_to(rust)
    shutil.copy(HERE / "code.rs", folder)
    subprocess.run([rustc, *FLAGS, "--crate-type=cdylib", "--cap-lints=allow",
                    f"--emit=llvm-ir={out}/code.ll,link={out}/code.so", folder / "code.rs"],
                   cwd=out, check=True)
    return (out / "code.ll").read_text(), ctypes.CDLL(str(out / "code.so"))


def ask(facts, claims, timeout):
    """Whether the claims follow from the facts: True, False or None if z3 does not know; and why."""
    solver = z3.Solver()
    solver.set("timeout", timeout * 1000)
    solver.add(*facts)
    if claims is None:
        # Not a claim: the facts must be possible.
        return solver.check() == z3.sat, "no values satisfy the facts"
    solver.add(z3.Not(z3.And(*claims)))
    answer = solver.check()
    if answer == z3.sat:
        return False, f"not for {solver.model()}"
    return answer == z3.unsat or None, f"no answer: {solver.reason_unknown()}"


def proofs(source, shift):
    """All that is to be proven of one shift, or with None apart from it: (name, facts, claims)."""
    if shift is None:
        for name, lemma in theorems.lemmas():
            yield f"lemma: {name}", [], [lemma]
        yield from theorems.refused(source)
        return
    for theorem in theorems.THEOREMS:
        for name, facts, claims in theorem(source, shift):
            yield f"shift {shift}: {name}", facts, claims


def prove(task):
    """Prove all that is to be proven of one shift: [(passed, name, why not)]."""
    source, shift, timeout = task
    results = []
    for name, facts, claims in proofs(source, shift):
        passed, reason = ask(facts, claims, timeout)
        results.append((passed is True, name, reason))
    return results


def vector(chance):
    """One input, often near where something happens."""
    def number(bits):
        kind = chance.randrange(4)
        if kind == 0:
            return chance.getrandbits(bits)
        if kind == 1:
            return chance.getrandbits(chance.randrange(1, bits + 1))
        if kind == 2:
            return (1 << chance.randrange(bits)) + chance.randrange(-2, 3) & (1 << bits) - 1
        return (chance.randrange(-3, 4)) & (1 << bits) - 1

    cycle_last = number(64)
    tsc = number(64) if chance.randrange(3) else cycle_last + number(64) & 2**64 - 1
    return (cycle_last, number(32), chance.randrange(34), number(64), number(64), tsc)


def same_as_machine(source, library, seed):
    """Whether the terms and the machine code agree; returns a difference, and what was met."""
    chance = random.Random(seed)
    sizes = (64, 32, 32, 64, 64, 64)
    types = (ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32) + (ctypes.c_uint64,) * 3
    variables = [z3.BitVec(f"argument{number}", size) for number, size in enumerate(sizes)]
    kinds = set()
    terms = {name: Function(name, source, variables, name) for name in FUNCTIONS}
    for name in FUNCTIONS:
        entry = getattr(library, name)
        entry.argtypes, entry.restype = types, ctypes.c_uint64

    for _ in range(VECTORS):
        values = vector(chance)
        known = [(variable, z3.BitVecVal(value, size))
                 for variable, value, size in zip(variables, values, sizes)]
        for name, term in terms.items():
            products = [(product, z3.simplify(z3.substitute(left, *known) *
                                              z3.substitute(right, *known)))
                        for product, left, right in term.products]
            result = z3.simplify(z3.substitute(term.result, *known, *products))
            machine = getattr(library, name)(*values)
            if not z3.is_bv_value(result) or result.as_long() != machine:
                return f"{name}{values}: term {result}, machine {machine}", kinds
            if name == "expiry_kind":
                kinds.add(machine)
    return None, kinds


def plant(task):
    """Plant a fault in a copy; returns its name, and what found it, if anything did."""
    (file, before, after), rustc, timeout = task
    with tempfile.TemporaryDirectory(prefix="raw_hrtimer-proof-") as folder:
        rust = pathlib.Path(folder, "rust")
        rust.mkdir()
        for name in ("rate.rs", "deadline.rs"):
            shutil.copy(RUST / name, rust)
        text = (rust / file).read_text()
        name = f"{file}: {before} -> {after or 'nothing'}"
        if text.count(before) != 1:
            return name, None, "it is not there once: adapt FAULTS"
        (rust / file).write_text(text.replace(before, after))
        source, _ = compile_code(rustc, rust, pathlib.Path(folder))
        for shift in (None, 24, 32, 0):
            for found, facts, claims in proofs(source, shift):
                if ask(facts, claims, timeout)[0] is False:
                    return name, found, ""
    return name, None, "everything is still proven"


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
                        "given, which takes about 2 minutes of one core")
    parser.add_argument("--timeout", type=int, default=300, metavar="SECONDS",
                        help="for one proof (default: 300)")
    options = parser.parse_args()
    tap, start = Tap(), time.monotonic()

    print(f"TAP version 13\n# z3 {z3.get_version_string()}, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="raw_hrtimer-proof-") as folder, \
            multiprocessing.Pool(options.jobs) as pool:
        if options.faults:
            tasks = [(fault, options.rustc, options.timeout) for fault in FAULTS]
            for name, found, otherwise in pool.imap(plant, tasks):
                tap.result(found is not None, f"{name}: {found or otherwise}")
        else:
            source, library = compile_code(options.rustc, RUST, pathlib.Path(folder))
            difference, kinds = same_as_machine(source, library, options.seed)
            tap.result(difference is None,
                       f"terms and machine code agree on {VECTORS} inputs", difference)
            tap.result(kinds == {theorems.PAST, theorems.AT, theorems.BEYOND, theorems.NO_RATE},
                       "the inputs meet every kind of result", kinds)
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
