# SPDX-License-Identifier: GPL-2.0
"""Faults to plant in the pure files, each of which the proof has to find."""

import pathlib
import shutil
import subprocess
import tempfile

from compiler import FILES, HERE, RUST, compile_code
from operations import Unsupported
from solver import ask, proofs

# (file, what it says, what it is made to say): ../plant.rs finds the place.
FAULTS = (
    ("clock/deadline.rs", "(shifted as u64).wrapping_sub(1)", "(shifted as u64)"),
    ("clock/deadline.rs", "let ns = shifted.wrapping_sub(1) >>", "let ns = shifted >>"),
    ("clock/deadline.rs", "if shifted >> 63 == 0", "if shifted >> 64 == 0"),
    ("clock/deadline.rs", "(ns as i64).wrapping_add(1)", "(ns as i64)"),
    ("clock/deadline.rs", "past || cycles == 0", "past"),
    ("clock/deadline.rs", "past || cycles == 0", "cycles == 0"),
    ("clock/deadline.rs", "if ns >= i64::MAX as u128", "if ns > i64::MAX as u128"),
    ("clock/deadline.rs", "if ns >= i64::MAX as u128", "if ns >= (i64::MAX as u128) >> 1"),
    ("clock/deadline.rs", "None => Expiry::Beyond", "None => Expiry::At(self.base)"),
    ("clock/deadline.rs", "let ns = self.xtime_nsec >> self.rate.bits();", "let ns = self.xtime_nsec;"),
    ("clock/deadline.rs", ".wrapping_add(self.xtime_nsec as u128)", ""),
    ("clock/deadline.rs", "if cycles > i64::MAX as u64", "if cycles == u64::MAX"),
    ("clock/rate.rs", "self.shift & 63", "self.shift & 31"),
    ("clock/rate.rs", "shift > Self::SHIFT_MAX", "shift > 33"),
    ("clock/rate.rs", "mult == 0 ||", "false ||"),
    ("clock/margin.rs", "const WORTH_NS: i64 = 1000", "const WORTH_NS: i64 = 999"),
    ("clock/margin.rs", "let (cycles, past) = deadline.get()", "let (cycles, past) = now.get()"),
    ("clock/margin.rs", "if past {", "if false {"),
    ("clock/margin.rs", "line.rate.mult() < raw.mult()", "line.rate.mult() > raw.mult()"),
    ("clock/margin.rs", "line.rate.mult() < raw.mult()", "true"),
    ("clock/margin.rs", "wrapping_mul(mult as u128) >> line",
     "wrapping_mul(line.rate.mult() as u128) >> line"),
    ("clock/margin.rs", "if ns > i64::MAX as u128", "if ns > u64::MAX as u128"),
    ("clock/margin.rs", "line.mono(now)", "line.mono(deadline)"),
    ("clock/margin.rs", ".saturating_add(ns as i64)", ".wrapping_add(ns as i64)"),
    ("clock/margin.rs", "exact.get().saturating_sub(early)", "exact.get().wrapping_sub(early)"),
    ("clock/margin.rs", ".saturating_sub(early) < WORTH_NS", ".saturating_sub(early) <= WORTH_NS"),
    ("clock/frequency.rs", "khz > Self::KHZ_MAX", "khz > Self::KHZ_MAX + 1"),
    ("clock/frequency.rs", "below.wrapping_add(1)", "below"),
    ("clock/frequency.rs", "(NSEC_PER_MSEC << SHIFT).checked_div",
     "((NSEC_PER_MSEC << SHIFT) + 1).checked_div"),
    ("clock/frequency.rs", "if cycles >= u64::MAX as u128", "if cycles > u64::MAX as u128"),
    ("clock/frequency.rs", "(cycles as u64).wrapping_add(1)", "(cycles as u64)"),
    ("clock/frequency.rs", "if ns > i64::MAX as u128", "if ns > u64::MAX as u128"),
)


def compile_planter(rustc, out):
    """Compile the program that plants one; returns its path."""
    subprocess.run([rustc, "--edition=2021", "-o", out / "plant", HERE / "plant.rs"], check=True)
    return out / "plant"


def plant(task):
    """Plant a fault in a copy; returns its name, and what found it, if anything did."""
    (file, before, after), planter, rustc, timeout = task
    with tempfile.TemporaryDirectory(prefix="raw_hrtimer-proof-") as folder:
        rust = pathlib.Path(folder, "rust")
        (rust / "clock").mkdir(parents=True)
        for name in FILES:
            shutil.copy(RUST / name, rust / name)
        name = f"{file}: {before} -> {after or 'nothing'}"
        planted = subprocess.run([planter, rust / file, before, after], capture_output=True,
                                 text=True, check=False)
        if planted.returncode:
            return name, None, f"adapt FAULTS: {planted.stderr.strip()}"
        (rust / file).write_text(planted.stdout)
        source, _ = compile_code(rustc, rust, pathlib.Path(folder))
        try:
            for shift in (None, 24, 32, 0):
                for found, facts, claims in proofs(source, shift):
                    if ask(facts, claims, timeout)[0] is False:
                        return name, found, ""
        except Unsupported as reason:
            return name, None, f"not refuted, but refused: {reason}"
    return name, None, "everything is still proven"
